# fill.awk: puts dates and ids into the demo's files.
#
#   {-9m15}  day 15 of the month nine months ago       {0m}  today
#   {-9m}    the last day of that month                {@R-01}  the id kept under the name R-01
#                                                      {#R-01}  its number, as people know it
#
# Run with -v today=2026-11-22 and, as the first file, lines of "name value". A name that is not there is an error.
function days_in(year, month)
{
    if (month == 2)
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31
}

function date_of(token,    parts, months, year, month, day)
{
    split(token, parts, "m")
    if (parts[1] + 0 == 0 && parts[2] == "")
        return today
    months = substr(today, 1, 4) * 12 + substr(today, 6, 2) - 1 + parts[1]
    year = int(months / 12)
    month = months % 12 + 1
    day = parts[2] == "" || parts[2] + 0 > days_in(year, month) ? days_in(year, month) : parts[2]
    return sprintf("%04d-%02d-%02d", year, month, day)
}

function value_of(token,    name)
{
    if (token !~ /^[@#]/)
        return date_of(token)
    name = substr(token, 2) (token ~ /^#/ ? ".number" : "")
    if (!(name in kept)) {
        print "fill.awk: nothing is kept under the name " name > "/dev/stderr"
        exit 1
    }
    return kept[name]
}

FILENAME == ARGV[1] {
    kept[$1] = $2
    next
}

{
    filled = ""
    while (match($0, /\{([@#][A-Za-z0-9._-]+|[-+]?[0-9]+m[0-9]*)\}/)) {
        filled = filled substr($0, 1, RSTART - 1) value_of(substr($0, RSTART + 1, RLENGTH - 2))
        $0 = substr($0, RSTART + RLENGTH)
    }
    print filled $0
}
