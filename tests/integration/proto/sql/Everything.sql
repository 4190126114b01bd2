--@request isms.library.v1.Everything
--@response isms.library.v1.Everything
select :a_int32::int as "a_int32", :a_uint32::bigint::int as "a_uint32", :a_int64::int8 as "a_int64",
       :a_float::real as "a_float",
       :a_double::float8 as "a_double", :a_bool::bool as "a_bool", :a_state::text as "a_state",
       :a_string::text as "a_string", :a_bytes::bytea as "a_bytes", :many_sint64::int8[] as "many_sint64",
       :many_double::float8[] as "many_double", :many_bool::bool[] as "many_bool", :many_state::text[] as "many_state",
       :many_string::text[] as "many_string", :many_bytes::bytea[] as "many_bytes", :chapters::jsonb as "chapters",
       :counts::jsonb as "counts", :a_time::timestamptz as "a_time",
       to_jsonb(extract(epoch from :a_duration::interval)::text || 's') as "a_duration",
       :a_wrapped::text as "a_wrapped", :a_flag::bool as "a_flag", :times::timestamptz[] as "times"
