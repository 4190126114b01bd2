select
--@include risk_scheme.columns
from inputs.risk_scheme_of(:tenant) s
