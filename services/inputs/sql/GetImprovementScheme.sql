select
--@include improvement_scheme.columns
from inputs.improvement_scheme_of(:tenant) s
