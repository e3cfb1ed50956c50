# For scripts/bench: samples, their medians and ratios, and who has the turn.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # what others set, and what they use

# A time in microseconds: sample SECTION ROW VARIANT TIME.
sample() {
    printf '%s\t%s\t%s\t%s\n' "$@" >>"$work/samples"
}

# Microseconds that a command took; what it says is dropped. One that fails ends the bench.
timed() {
    local before=${EPOCHREALTIME/./} after
    "$@" >"$work/said" 2>&1 || fail "$* failed: $(tail -n 1 "$work/said")"
    after=${EPOCHREALTIME/./}
    took=$((after - before))
}

fail() {
    echo "bench: $*" >&2
    exit 1
}

# Puts the names into the array `turn`, beginning with another one in each round: turns ROUND NAME...
turns() {
    local first=$(($1 % ($# - 1)))
    shift
    turn=("${@:first + 1}" "${@:1:first}")
}

# Takes the samples: their medians go to the results and are printed, a line for each row. Beside each peer's
# stands our time divided by the peer's. The variants are printed in the order that is given, which begins
# with ours: report SECTION VARIANT...
report() {
    local section=$1
    shift
    printf '%-34s' 'median us'
    printf '%14s' "$1"
    printf '%16s ratio' "${@:2}"
    printf '\n'
    awk -F '\t' -v section="$section" -v results="$work/csv" -v names="$*" '
        function median(key,    n, i, j, x, sorted) {
            n = counts[key]
            for (i = 1; i <= n; i++) {
                x = samples[key, i]
                for (j = i - 1; j > 0 && sorted[j] > x; j--)
                    sorted[j + 1] = sorted[j]
                sorted[j + 1] = x
            }
            return n % 2 ? sorted[(n + 1) / 2] : (sorted[n / 2] + sorted[n / 2 + 1]) / 2
        }
        $1 == section {
            key = $2 "\t" $3
            if (!($2 in known)) {
                known[$2] = 1
                rows[++last] = $2
            }
            samples[key, ++counts[key]] = $4 + 0
        }
        END {
            variants = split(names, variant, " ")
            for (row = 1; row <= last; row++) {
                line = sprintf("%-34s", rows[row])
                for (i = 1; i <= variants; i++) {
                    key = rows[row] "\t" variant[i]
                    if (!(key in counts)) {
                        line = line sprintf(i == 1 ? "%14s" : "%16s %5s", "-", "-")
                        continue
                    }
                    value = median(key)
                    printf("%s,%s,%s,%.2f,%d\n", section, rows[row], variant[i], value, counts[key]) >> results
                    if (i == 1)
                        ours = value
                    line = line sprintf(i == 1 ? "%14.1f" : "%16.1f", value)
                    if (i > 1)
                        line = line sprintf(value > 20 * ours ? " %5.3f" : " %5.2f", ours / value)
                }
                print line
            }
        }' "$work/samples"
    : >"$work/samples"
}

# The machine and the versions, by which the numbers are to be read.
bench_head() {
    local load
    read -r load _ </proc/loadavg
    echo "$(date -u +%F), $(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | sed -n 1p)," \
        "$(nproc) processors, $(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo)," \
        "Linux $(uname -r)"
    echo "datasetfs $(git describe --always --dirty 2>/dev/null || "$build/datasetfs" -V | grep -o '[0-9.]*$')," \
        "libfuse $(pkg-config --modversion fuse3), $(bindfs --version 2>&1 | sed -n 1p)," \
        "$(rclone version | sed -n 1p), $(curl --version | cut -d ' ' -f 1,2 | sed -n 1p)," \
        "open-vm-tools $(dpkg-query -W -f '${Version}' open-vm-tools), $(jq --version)"
    echo "$rounds rounds, $slow_rounds of what takes seconds; load $load"
    awk -v average="$load" 'BEGIN { exit average > 1 }' ||
        echo "The machine is busy with something else: these times say nothing."
}
