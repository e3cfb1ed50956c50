# Sums up what several programs have reached of the same files: first tests/fuzz/unreached, then files of lcov's format.
# A file's line counts if it is in no function, and has no text, of that list.

BEGIN { FS = " [|] " }

# unreached: FILE | FUNCTION() or text | why. A FILE of * is each.
FNR == NR {
    if ($0 !~ /^#/ && NF == 3)
        excused[++excuses] = $1 SUBSEP $2
    next
}

/^SF:/ {
    file = substr($0, 4)
    sub("^" root, "", file)
    if (!(file in seen)) {
        seen[file] = ++files
        order[files] = file
    }
}

/^FN:/ {
    split(substr($0, 4), part, ",")
    sub(/.*:/, "", part[2])
    starts[file, part[1]] = part[2] "()"
}

/^DA:/ {
    split(substr($0, 4), part, ",")
    if (part[1] > last[file])
        last[file] = part[1]
    count[file, part[1]] += part[2]
    counted[file, part[1]] = 1
}

# True if an entry of the list is about the line; `inside` is the function that it is in.
function is_excused(file, text, inside,    i, part, about) {
    for (i = 1; i <= excuses; i++) {
        split(excused[i], part, SUBSEP)
        if (part[1] != "*" && part[1] != file)
            continue
        about = part[2] ~ /\(\)$/ ? part[2] == inside : index(text, part[2]) > 0
        if (!about)
            continue
        used[i]++
        return i
    }
    return 0
}

function measure(file,    at, text, inside, i, lines, reached, missed) {
    inside = ""
    for (at = 1; (getline text < file) > 0; at++) {
        if ((file, at) in starts)
            inside = starts[file, at]
        if (!((file, at) in counted))
            continue
        i = is_excused(file, text, inside)
        if (i) {
            if (!count[file, at])
                needed[i] = 1
            continue
        }
        lines++
        if (count[file, at])
            reached++
        else
            missed = missed sprintf("    %d: %s\n", at, text)
    }
    close(file)
    printf "%-32s %5d of %5d lines, %6.2f %%\n", file, reached, lines, 100 * reached / lines
    if (reached * 100 < lines * 95) {
        printf "  less than 95 %%, without these:\n%s", missed
        failed = 1
    }
}

END {
    for (i = 1; i <= files; i++)
        measure(order[i])
    for (i = 1; i <= excuses; i++)
        if (!needed[i]) {
            split(excused[i], part, SUBSEP)
            printf "tests/fuzz/unreached: %s: %s is reached, or there is none\n", part[1], part[2]
            failed = 1
        }
    exit failed
}
