# For scripts/bench: whether a key costs as much when there are many, and a byte when a value is long. On a local
# store in memory, pinned; memory is what the daemon has more of (RssAnon) when all has been read and looked at.
# shellcheck shell=bash
# shellcheck disable=SC2154 # the caller's: build, work, slow_rounds, growth_keys

# The process whose last word is this mount.
daemon_of() {
    local process words
    for process in /proc/[0-9]*; do
        mapfile -d '' words <"$process/cmdline" 2>/dev/null || continue
        [[ ${words[0]:-} == */datasetfs && ${words[-1]} == "$1" ]] || continue
        echo "${process##*/}"
        return
    done
    fail "no daemon of $1"
}

anonymous_kib() {
    awk '/^RssAnon/ { print $2 }' "/proc/$1/status"
}

# growth_measure ROW FILES BYTES TIMES: the samples, and a line of the memory.
growth_measure() {
    local row=$1 files=$2 bytes=$3 times=$4 daemon before after call took i
    mount_local ours
    mkdir "$work/ours/bench"
    daemon=$(daemon_of "$work/ours")
    "$build/tests/bench/files" "$work/ours/bench" 1 1 1 create+write+close list unlink >"$work/said"
    before=$(anonymous_kib "$daemon")
    for ((i = 0; i < times; i++)); do
        "$build/tests/bench/files" "$work/ours/bench" 1 "$files" "$bytes" \
            create+write+close list open+read+close stat >"$work/said"
        [ "$i" -gt 0 ] || after=$(anonymous_kib "$daemon")
        "$build/tests/bench/files" "$work/ours/bench" 1 "$files" "$bytes" unlink >>"$work/said"
        while read -r call took; do
            sample growth "$call $row" datasetfs "$took"
        done <"$work/said"
    done
    printf '%s\t%s\t%s\t%s\n' "$row" "$files" "$bytes" "$((after - before))" >>"$work/memory"
    finish
}

# The medians as a table with a column for each call, with the ratio to the first row: growth_table keys|bytes
growth_table() {
    report growth datasetfs >"$work/said"
    awk -F, -v title="$1" '
        $1 == "growth" && $2 ~ title "$" {
            split($2, words, " ")
            row = substr($2, length(words[1]) + 2)
            if (!(words[1] in first))
                first[words[1]] = $4
            if (!(row in lines))
                rows[++last] = row
            lines[row] = lines[row] sprintf("%13.1f %6.2f", $4, $4 / first[words[1]])
            calls = index(calls, words[1]) ? calls : calls sprintf("%20s", words[1])
        }
        END {
            printf "%-16s%s\n", "us and ratio", calls
            for (i = 1; i <= last; i++)
                printf "%-16s%s\n", rows[i], lines[rows[i]]
        }' "$work/csv"
}

growth_memory() {
    awk -F '\t' -v by="$1" '
        {
            of = by == "key" ? $2 : $2 * $3
            each = $4 * 1024 / of
            if (NR == 1)
                first = each
            ratio = first ? each / first : 0
            printf "%-16s%10d KiB more, %10.2f bytes for each %s, ratio %.4f\n", $1, $4, each, by, ratio
        }' "$work/memory"
}

bench_growth() {
    local all keys bytes
    all=$(taskset -cp $$ | sed 's/.*: //')
    taskset -cp "${all%%[,-]*}" $$ >/dev/null
    : >"$work/memory"
    for keys in "${growth_keys[@]}"; do
        # Of few keys one pass is over too soon to be measured.
        growth_measure "$keys keys" "$keys" 100 "$((slow_rounds * (keys < 1000 ? 1000 / keys : 1)))"
    done
    echo "Keys of 100 bytes; a list is of all of them; times are for each key."
    growth_table keys
    growth_memory key
    : >"$work/memory"
    for bytes in 1 16 256 4096 65536 1048576; do
        growth_measure "$bytes bytes" 20 "$bytes" "$((slow_rounds * 5))"
    done
    echo "20 keys of so many bytes."
    growth_table bytes
    growth_memory byte
    taskset -cp "$all" $$ >/dev/null
}
