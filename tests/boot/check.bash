# How a check is made, told of and counted, as tests/run does.
# shellcheck shell=bash disable=SC2154 # variables of tests/boot/run and of its other parts

passed=0 failed=0 skipped=0 failures=()
shown_lines=40
soon_s=120 # guards against hanging; nothing is measured by it

# Runs a command, mostly a function, in a shell of its own that ends at its first failure, and tells how it ended;
# $good is true or false then. Its output is shown if it failed. Not for a condition: bash lets failures pass there.
# shellcheck disable=SC2034 # $good is for whoever calls
check() {
    local title=$1 log=$logs/${1//[^a-zA-Z0-9]/-}.log status begin=$SECONDS
    shift
    (
        set -e
        false
        exit 77
    )
    status=$?
    if [ "$status" -eq 77 ]; then
        echo "tests/boot: $title is checked in a condition" >&2
        exit 2
    fi
    (
        set -euo pipefail
        "$@"
    ) >"$log" 2>&1
    status=$?
    good=true
    if [ "$status" -eq 0 ]; then
        passed=$((passed + 1))
        printf '%-68s passed  %d s\n' "$title" $((SECONDS - begin))
        return
    fi
    good=false
    failed=$((failed + 1))
    failures+=("$title")
    printf '%-68s FAILED  %d s\n' "$title" $((SECONDS - begin))
    tail -n "$shown_lines" "$log" | sed 's/^/    /'
    printf '    the whole log: %s\n' "$log"
}

skip() {
    skipped=$((skipped + 1))
    printf '%-68s skipped: %s\n' "$1" "$2"
}

# Repeats a command until it succeeds.
soon() {
    local end=$((SECONDS + soon_s))
    until "$@"; do
        if [ "$SECONDS" -ge "$end" ]; then
            echo "still not after $soon_s s: $*" >&2
            return 1
        fi
        sleep 0.05
    done
}

# True if the process is gone, or only waits to be reaped.
ended() {
    ! grep -q '^State:[[:space:]]*[^ZX]' "/proc/$1/status" 2>/dev/null
}

# Fails unless the two are equal.
same() {
    [ "$1" = "$2" ] && return
    printf 'expected:\n%s\nbut it is:\n%s\n' "$2" "$1" >&2
    return 1
}

# Fails if the command succeeds.
not() {
    if "$@"; then
        echo "should not succeed: $*" >&2
        return 1
    fi
}

tell_sum() {
    [ ${#failures[@]} -eq 0 ] || printf '%s\n' failed: "${failures[@]}"
    if [ $((passed + failed + skipped)) -eq 0 ]; then
        echo "no check was made"
        failed=1
    fi
    printf '%d passed, %d failed%s\n' "$passed" "$failed" "$([ "$skipped" -eq 0 ] || echo ", $skipped skipped")"
    [ "$failed" -eq 0 ]
}
