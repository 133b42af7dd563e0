# bash completion for weir. Commands and flags come from weir's own help, so they are never out of date.
# shellcheck shell=bash

# The first word of each line of the help on standard input that stands under the heading $1.
_weir_words() { awk -v heading="$1:" '$0 == heading { on = 1; next } !/^  / { on = 0 } on { print $1 }'; }

_weir() {
  local weir=${COMP_WORDS[0]} cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
  local command=${COMP_WORDS[1]-}
  COMPREPLY=()
  if [ "$COMP_CWORD" = 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W "$("$weir" help 2>/dev/null | _weir_words commands)" -- "$cur")
    return
  fi
  local words=""
  case $cur in
    -*)
      words=$("$weir" "$command" -h 2>/dev/null | _weir_words flags)
      if [ "$command" = test ]; then
        words+=" -bench -count -cover -coverprofile -cpu -failfast -json -parallel -race -run -short -skip -tags -timeout -v"
      fi
      ;;
    *)
      # A process of this user, unless the word before is a flag that wants something else.
      if [ "$command" = dump ] && [[ $prev != -* ]]; then
        words=$(find /proc -maxdepth 1 -user "$(id -un)" -name '[0-9]*' -printf '%f\n' 2>/dev/null)
      fi
      ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur"; case $cur in -*) ;; *) compgen -f -- "$cur" ;; esac)
}
complete -o filenames -F _weir weir
