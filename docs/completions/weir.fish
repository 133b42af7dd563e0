# fish completion for weir. Commands and flags come from weir's own help, so they are never out of date.

# Runs `weir $argv[2..]`, a help; "name<tab>what it is" for each of its lines under the heading $argv[1].
function __weir_help
    weir $argv[2..] 2>/dev/null | awk -v heading="$argv[1]:" '
        $0 == heading { on = 1; next }
        !/^  / { on = 0 }
        on { name = $1; sub(/^  [^ ]+( [^ ]+)?  +/, ""); sub(/^  [^ ]+ /, ""); print name "\t" $0 }'
end

function __weir_command
    set -l words (commandline -opc)
    set -q words[2]; and echo $words[2]
end

complete -c weir -n 'test -z "$(__weir_command)"' -f -a '(__weir_help commands help)'
complete -c weir -n 'test -n "$(__weir_command)"; and string match -q -- "-*" (commandline -ct)' -f \
    -a '(__weir_help flags (__weir_command) -h)'
complete -c weir -n 'string match -q dump (__weir_command)' -a '(__fish_complete_pids)'
