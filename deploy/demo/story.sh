# shellcheck shell=bash
# The story of the demo, told through ismsctl alone: an organisation, its data, two reviews. Sourced by
# deploy/quickstart.sh, which has sourced deploy/lib/stack.sh; needs DEMO_SOURCE (this folder) and STACK.
#
# Every call has a request_id that follows from its place in the story. A story that was interrupted is told again
# from the beginning of the chapter, and what happened already happens no second time: the service gives the same
# answers, and so the same ids. For that the dates must not move either: the day on which the story was begun is kept.
#
# What is kept in $STACK/demo: `today`; `ids`, lines of "name value" for fill.awk; credentials.

story_begin() {
    STORY=$STACK/demo
    mkdir -p "$STORY" "$STACK/reports"
    chmod 700 "$STORY"
    [ -s "$STORY/today" ] || date +%F >"$STORY/today"
    touch "$STORY/ids"
    for name in $STACK_SERVICES; do
        export "ISMS_${name^^}_ADDRESS=127.0.0.1:$(stack_port "$name")"
    done
}

# story_keep: keeps the lines of "name value" on stdin; a name that is there already means the new value from now on.
story_keep() {
    awk 'NR == FNR { kept[$1] = $2; next }
        NF != 2 || $2 == "null" { print "The answer holds nothing for " $1 > "/dev/stderr"; failed = 1; exit }
        { kept[$1] = $2 }
        END { if (failed) exit 1; for (name in kept) print name, kept[name] }' "$STORY/ids" - >"$STORY/ids.new"
    mv "$STORY/ids.new" "$STORY/ids"
}

story_id() { awk -v name="$1" '$1 == name { print $2 }' "$STORY/ids"; }

# story_fill [FILE]: the file, or stdin, with dates and ids put in.
story_fill() { awk -v today="$(cat "$STORY/today")" -f "$DEMO_SOURCE/fill.awk" "$STORY/ids" "${1:--}"; }

# A uuid of version 5's form that is always the same for the same name.
story_request_id() {
    printf 'isms-review demo %s' "$1" | sha1sum | sed -E 's/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/\1-\2-5\3-8\4-\5/'
}

declare -A STORY_TOKENS=()

# story_as NAME: speaks as that member, by an access token; as "admin" or "manager", by the API key kept under it.
story_as() {
    if [ -s "$STORY/$1.key" ]; then
        ISMS_CREDENTIAL=$(cat "$STORY/$1.key")
    else
        [ -n "${STORY_TOKENS[$1]:-}" ] || STORY_TOKENS[$1]=$(stack_token "$1" "$(story_id organisation)")
        ISMS_CREDENTIAL=${STORY_TOKENS[$1]}
    fi
    export ISMS_CREDENTIAL
}

story_call() { "$STACK_BIN/ismsctl" --json call "$1" "$2"; }

# story_chapter FILE: the calls that the file lists, one after the other: {"as": who, "call": method, "with": request,
# "keep": name for the id of the answer}.
story_chapter() {
    local line who method keep request answer place=0
    while IFS= read -r line; do
        place=$((place + 1))
        line=$(story_fill <<<"$line")
        IFS=$'\t' read -r who method keep < <(jq -r '[.as, .call, .keep // ""] | @tsv' <<<"$line")
        request=$(jq -c --arg id "$(story_request_id "$1 $place")" \
            '.with + if .call | test("^(Get|List|Check)") then {} else {request_id: $id} end' <<<"$line")
        story_as "$who"
        answer=$(story_call "$method" "$request") || stack_fail "$method, call $place of $1, was refused." || return 1
        if [ "$method" = CheckConformity ] && ! jq -e .conforming <<<"$answer" >/dev/null; then
            jq -r '.gaps[] | "\(.rule) \(.subject): \(.message)"' <<<"$answer" >&2
            return 1
        fi
        if [ -n "$keep" ]; then
            jq -r --arg name "$keep" '"\($name) \(.id)", "\($name).etag \(.etag)", "\($name).number \(.number // "-")"' \
                <<<"$answer" | story_keep
        fi
        echo "$method ($place of $(jq length "$DEMO_SOURCE/$1"))"
    done < <(jq -c '.[]' "$DEMO_SOURCE/$1")
}

# --- the organisation -----------------------------------------------------------------------------------------------

# A secret is answered once only. One that was lost on the way is not asked for again: there will be a new one.
story_platform() {
    [ -s "$STORY/platform.key" ] && return 0
    "$STACK_BIN/isms-migrate" --database-url="$(stack_url isms_owner)" platform-key quickstart >"$STORY/platform.key.new"
    mv "$STORY/platform.key.new" "$STORY/platform.key"
}

story_organisation() {
    local answer
    if [ ! -s "$STORY/admin.key" ]; then
        story_platform
        story_as platform
        answer=$(story_call CreateOrganisation '{
            "organisation": {"name": "Nordlicht Logistik GmbH", "time_zone": "Europe/Berlin", "isms_scope":
                "Development and operation of the transport management platform Nordlicht, at the sites Hamburg and Rostock and from home, for about 300 freight forwarders."},
            "administrator": {"name": "Ole Petersen", "email": "ole.petersen@nordlicht.example",
                "position": "IT administrator", "roles": ["ROLE_TENANT_ADMIN"]}}')
        jq -r '"organisation \(.organisation.id)"' <<<"$answer" | story_keep
        jq -r .api_key <<<"$answer" >"$STORY/admin.key.new"
        mv "$STORY/admin.key.new" "$STORY/admin.key"
    fi
    story_members
    if [ ! -s "$STORY/manager.key" ]; then
        story_as admin
        answer=$(story_call CreateKey '{"key": {"name": "Demo, ISMS manager", "roles": ["ROLE_ISMS_MANAGER"]}}')
        jq -r .api_key <<<"$answer" >"$STORY/manager.key.new"
        mv "$STORY/manager.key.new" "$STORY/manager.key"
    fi
}

# Each member's subject at the demo's identity provider is the key of members.json.
story_members() {
    local line key answer
    story_as admin
    while IFS= read -r line; do
        key=$(jq -r .key <<<"$line")
        answer=$(story_call CreateMember "$(jq -c --arg id "$(story_request_id "member $key")" '{request_id: $id, member: (
            . + {issuer: "https://id.demo.example", subject: .key, email: "\(.key)@nordlicht.example"} | del(.key))}' <<<"$line")")
        jq -r --arg name "$key" '"\($name) \(.id)"' <<<"$answer" | story_keep
        echo "$(jq -r .name <<<"$answer"), $(jq -r .position <<<"$answer")"
    done < <(jq -c '.[]' "$DEMO_SOURCE/members.json")
}

# --- the data -------------------------------------------------------------------------------------------------------

# story_import PART FILE KIND COLUMN=FIELD...
story_import() {
    local part=$1 file=$2 kind=$3 mapping maps=() outcome
    shift 3
    for mapping in "ID=external_id" "$@"; do maps+=(--map "$mapping"); done
    mkdir -p "$STORY/$part"
    story_fill "$DEMO_SOURCE/$part/$file" >"$STORY/$part/$file"
    outcome=$("$STACK_BIN/ismsctl" import "$STORY/$part/$file" --kind "$kind" --source register "${maps[@]}")
    echo "$file: $outcome"
}

# The ids and numbers of all inputs, by what they are called in the files.
story_inputs_keep() {
    local token='' answer
    while :; do
        answer=$(story_call ListInputs "$(jq -nc --arg token "$token" '{page_size: 500, page_token: $token}')")
        jq -r '.inputs[] | select(.external_id) | "\(.external_id) \(.id)", "\(.external_id).number \(.number)"' \
            <<<"$answer" | story_keep
        token=$(jq -r '.next_page_token // ""' <<<"$answer")
        [ -n "$token" ] || return 0
    done
}

# One file holds a column for each metric; an empty cell is a value that nobody measured.
story_measurements() {
    local metric outcome
    mkdir -p "$STORY/$1"
    for metric in $(jq -r '.[].external_id' "$DEMO_SOURCE/metrics.json"); do
        story_fill "$DEMO_SOURCE/$1/measurements.csv" |
            awk -F, -v metric="$metric" 'NR == 1 { for (i = 2; i <= NF; i++) if ($i == metric) column = i }
                $column != "" { print $1 "," $column }' >"$STORY/$1/measurements-$metric.csv"
        outcome=$("$STACK_BIN/ismsctl" import "$STORY/$1/measurements-$metric.csv" --metric "$(story_id "$metric")" \
            --source "KPI workbook" --map Date=observed_time --map "$metric=value")
        echo "$metric: $outcome"
    done
}

# story_upsert PART FILE: a file of inputs in the form of the API, for what a table cannot hold.
story_upsert() {
    local inputs
    inputs=$(story_fill "$DEMO_SOURCE/$1/$2" |
        jq -c --arg id "$(story_request_id "$1 $2")" '{request_id: $id, inputs: map(. + {source: "register"})}')
    story_call BatchUpsertInputs "$inputs" >/dev/null
    echo "$2: $(jq '.inputs | length' <<<"$inputs") sent"
}

# story_data PART: imports the part's files; those that refer to other inputs come after them.
story_data() {
    local part=$1
    story_as lucja
    story_upsert . metrics.json
    story_import "$part" requirements.csv requirement Requirement=title "Interested party=requirement.interested_party" \
        Since=effective_date Status=state Change=requirement.change Addressed=requirement.addressing \
        How=requirement.how_addressed
    story_import "$part" nonconformities.csv nonconformity Nonconformity=title Grade=nonconformity.grade \
        Clause=nonconformity.clause Severity=severity Found=effective_date Due=due_date Status=state Closed=closed_date \
        Owner=owner_name Cause=nonconformity.cause.description Method=nonconformity.cause.method \
        "Other method=nonconformity.cause.method_name" Correction=nonconformity.correction \
        "Corrective action=nonconformity.corrective_action" Effectiveness=nonconformity.effectiveness \
        Verified=nonconformity.effectiveness_date
    story_import "$part" incidents.csv incident Incident=title Category=incident.category Severity=severity \
        Date=effective_date Status=state Closed=closed_date Owner=owner_name Occurred=incident.occurred_time \
        Detected=incident.detected_time Contained=incident.contained_time Resolved=incident.resolved_time \
        Confidentiality=incident.confidentiality_affected Availability=incident.availability_affected \
        "Personal data=incident.personal_data_affected" Impact=incident.impact Cause=incident.cause.description \
        Method=incident.cause.method "Lessons learned=incident.lessons_learned" "Reported to=incident.reported_to"
    story_import "$part" controls.csv control Control=title Reference=control.reference Owner=owner_name \
        Design=control.design Operation=control.operation Tested=control.tested_date Test=control.test \
        Result=control.result
    story_import "$part" training.csv training Training=title Type=training.type Audience=training.audience \
        Date=effective_date Status=state Closed=closed_date Owner=owner_name Invited=training.invited \
        Completed=training.completed Passed=training.passed Effectiveness=training.effectiveness Result=training.result
    story_import "$part" audits.csv audit Audit=title Type=audit.type Date=effective_date Status=state Closed=closed_date \
        Scope=audit.scope Auditor=audit.auditor Conclusion=audit.conclusion
    story_import "$part" compliance.csv compliance Requirement=title Framework=compliance.framework \
        Reference=compliance.reference Owner=owner_name Status=compliance.status Assessed=compliance.assessed_date \
        Assessor=compliance.assessor Gap=compliance.gap Plan=compliance.plan Due=due_date
    story_import "$part" feedback.csv feedback Subject=title From=feedback.interested_party Channel=feedback.channel \
        Date=effective_date Sentiment=feedback.sentiment Theme=feedback.theme Status=state Closed=closed_date \
        Response=feedback.response
    story_import "$part" risks.csv risk Risk=title Owner=owner_name Identified=effective_date Severity=severity \
        "Inherent likelihood=risk.inherent.likelihood" "Inherent impact=risk.inherent.impact" \
        "Current likelihood=risk.current.likelihood" "Current impact=risk.current.impact" \
        "Residual likelihood=risk.residual.likelihood" "Residual impact=risk.residual.impact" \
        "Target likelihood=risk.target.likelihood" "Target impact=risk.target.impact" Response=risk.response \
        Rationale=risk.rationale Novelty=risk.novelty Status=state Scenario=risk.scenario
    story_upsert "$part" improvements.json
    story_import "$part" policies.csv policy Document=title Type=policy.type State=policy.status Version=policy.version \
        "In force since=effective_date" "Next review=due_date" Owner=owner_name "Approved by=policy.approved_by" \
        "Change needed=policy.change_needed"
    story_upsert "$part" resources.json
    story_inputs_keep
    story_import "$part" context-issues.csv context-issue Issue=title Origin=context_issue.origin Topic=context_issue.topic \
        Since=effective_date Severity=severity Status=state Closed=closed_date Impact=context_issue.impact \
        "Risk assessment=risk_impact.disposition" Risks=risk_impact.risk_ids "Why not=risk_impact.note"
    story_import "$part" findings.csv finding Finding=title Audit=finding.audit_id Grade=finding.grade \
        Reference=finding.reference Severity=severity Found=effective_date Due=due_date Status=state Closed=closed_date \
        Owner=owner_name "Root cause=finding.cause.description" Recommendation=finding.recommendation \
        Response=finding.response
    story_import "$part" objectives.csv objective Objective=title Owner=owner_name Measure=objective.measure \
        Target=objective.target Now=objective.current Attainment=objective.attainment \
        "Business goal=objective.business_goal" Since=effective_date Due=due_date Status=state Closed=closed_date \
        Metric=objective.metric_id
    story_import "$part" treatments.csv treatment Treatment=title Risk=treatment.risk_id Owner=owner_name \
        Control=treatment.control Due=due_date Status=state Closed=closed_date Done=treatment.percent_complete \
        Note=treatment.status_note
    story_inputs_keep
    story_measurements "$part"
}

# --- the reviews ----------------------------------------------------------------------------------------------------

# story_actions_keep NAME COUNT: the ids of the review's actions, as NAME.A01 and so on. Where the actions service was
# away at the signing they come a little later, but they come.
story_actions_keep() {
    local answer tries=0
    story_as lucja
    while :; do
        answer=$(story_call ListActions "{\"review_id\": \"$(story_id "$1")\", \"page_size\": 100}")
        [ "$(jq '.actions | length' <<<"$answer")" -ge "$2" ] && break
        tries=$((tries + 1))
        [ "$tries" -lt 60 ] || stack_fail "The actions of the signed review did not come." || return 1
        sleep 0.5
    done
    jq -r --arg review "$1" '.actions[] | "\($review).\(.number | split("-")[-1]) \(.id)"' <<<"$answer" | story_keep
}

story_first_review() {
    story_chapter first/review.json
    story_actions_keep MR1 9
}

story_year_between() {
    story_data second
    story_import second outcomes.csv outcome Outcome=title Improvement=outcome.improvement_id Metric=outcome.metric_id \
        Since=effective_date Owner=owner_name Expected=outcome.expected Result=outcome.result Verdict=outcome.verdict
    story_chapter second/follow-up.json
}

story_second_review() {
    local answer
    story_chapter second/review.json
    story_actions_keep MR2 6
    story_chapter second/afterwards.json
    story_as admin
    answer=$(story_call UpdateMember "$(story_fill <<<'{"id": "{@meiling}", "update_mask": "review_ids",
        "member": {"review_ids": ["{@MR1}", "{@MR2}"]}}' | jq -c --arg id "$(story_request_id auditor)" '. + {request_id: $id}')")
    echo "$(jq -r .name <<<"$answer") may read both reviews"
}

# Reports, signed records, and the check of the records.
story_reports() {
    local review number answer
    story_as manager
    for review in MR1 MR2; do
        answer=$(story_call GetRecord "{\"review_id\": \"$(story_id $review)\"}")
        number=$(jq -r .number <<<"$answer")
        printf '%s\n' "$answer" >"$STACK/reports/$number-record.json"
        story_call RenderReport "{\"review_id\": \"$(story_id $review)\"}" | jq -r .content | base64 -d >"$STACK/reports/$number.html"
        story_call RenderReport "{\"review_id\": \"$(story_id $review)\", \"format\": \"REPORT_FORMAT_JSON\"}" |
            jq -r .content | base64 -d >"$STACK/reports/$number.json"
        "$STACK_BIN/ismsctl" verify "$STACK/reports/$number-record.json" --key "$STACK/keys/installation.pub.pem"
    done
}
