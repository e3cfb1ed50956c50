# For scripts/bench: the ratios of build/bench.csv as a picture.
# shellcheck shell=bash
# shellcheck disable=SC2154 # the caller's: build, csv, work

# Lines "NAME<tab>RATIO" of what is drawn: of each row that has our time, with each of the named peers.
draw_ratios() {
    awk -F, '
        function drawn(section, row, variant) {
            return (section == "files" && row ~ / pinned 1$/ && variant ~ /^(bindfs|floor)$/) ||
                   (section == "guest" && variant ~ /vmtoolsd$/) ||
                   (section == "rest" && row ~ / 20 ms$/) || section == "keys" ||
                   section == "machines"
        }
        /^#/ || $1 == "section" { next }
        $3 == "datasetfs" { ours[$1, $2] = $4; next }
        ($1, $2) in ours && drawn($1, $2, $3) && $4 > 0 {
            row = $2
            sub(/ pinned 1$/, "", row)
            printf "%s: %s / %s\t%.5f\n", $1, row, $3, ours[$1, $2] / $4
        }' "$csv"
}

draw() {
    local bars machine
    [ -s "$csv" ] || fail "$csv is missing: scripts/bench makes it"
    draw_ratios >"$work/ratios"
    bars=$(wc -l <"$work/ratios")
    if [ "$bars" -eq 0 ]; then
        rm -f "$build/bench.svg"
        return
    fi
    # From 1, which is a tie, to the left where we take less.
    machine=$(sed -n '1{s/^# //; s/["\\]//g; p}' "$csv")
    # From where it lies: the picture tells the name of what it shows.
    (cd "$work" && gnuplot) <<END
set terminal svg size 900,$((bars * 20 + 110)) noenhanced font "sans-serif,12" background "white"
set output "$build/bench.svg"
set label 1 "Time of datasetfs divided by that of its peer (less is faster)\n$machine" at screen 0.5, screen 1 \
    offset 0, -1.5 center
set tmargin 4
set datafile separator "\t"
set logscale x
set xrange [*:8]
set yrange [$bars.7:0.3]
set grid xtics
set style fill solid
set tics nomirror
set key off
set lmargin 50
set arrow from 1, graph 0 to 1, graph 1 nohead linewidth 1.5 front
plot "ratios" using (1):(\$0+1):(1):2:(\$0+0.7):(\$0+1.3):(\$2 > 1 ? 0xc05030 : 0x3070b0):ytic(1) \
         with boxxyerror linecolor rgb variable, \
     "" using (0.93):(\$0+1):(\$2 > 1 ? sprintf("%.2f", \$2) : "") with labels right, \
     "" using (1.08):(\$0+1):(\$2 > 1 ? "" : sprintf(\$2 < 0.1 ? "%.4f" : "%.2f", \$2)) with labels left
END
    echo "Drawn: ${build#"$PWD"/}/bench.svg, of ${csv#"$PWD"/}"
}
