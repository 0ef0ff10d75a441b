# SPDX-License-Identifier: BSD-2-Clause
# sizes: lines of files and of functions, which in this style open and close with a brace in
# column 0.  Fails over the limits of the style: 600 lines a file, 100 a function, functions of
# 15 lines in the median and 50 in the 90th percentile.
function complain(what) {
	print what > "/dev/stderr"
	failed = 1
}
function end_file() {
	if (name != "" && lines > 600)
		complain(name ": " lines " lines; a file has at most 600")
}
FNR == 1 {
	end_file()
	name = FILENAME
}
{ lines = FNR }
/^\{/ { open = FNR; head = before }
/^\}/ && open {
	size = FNR - open + 1
	if (size > 100)
		complain(FILENAME ":" open ": " size " lines; a function has at most 100: " head)
	if (FILENAME !~ /^tests/) {
		of_size[size]++
		functions++
	}
	open = 0
}
/^[^ \t{}#]/ { before = $0 }
function quantile(part,    size, seen) {
	for (size = 1; size <= 100; size++) {
		seen += of_size[size]
		if (seen >= part * functions)
			return size
	}
	return size
}
END {
	end_file()
	printf "sizes: %d functions, median %d lines, 90th percentile %d\n", functions,
		quantile(0.5), quantile(0.9)
	if (quantile(0.5) > 15 || quantile(0.9) > 50)
		complain("sizes: the median is to be at most 15, the 90th percentile 50")
	exit failed
}
