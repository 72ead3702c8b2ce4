# Sourced by the scripts: one line a step with its time; what a step prints is kept in a file and shown if it fails.
#
#   step TITLE COMMAND...    runs COMMAND (a program or a function) and returns its status
#
# On a terminal the line counts up and shows how far ninja is; elsewhere a line is added every 30 s.

if [ -z "${KMS_STEP_LOGS:-}" ]; then
  KMS_STEP_LOGS=$(mktemp -d "${TMPDIR:-/tmp}/kms-steps.XXXXXX")
  export KMS_STEP_LOGS
  steps_made_logs=yes
fi
# Only what failed steps printed stays.
steps_clean() { [ -z "${steps_made_logs:-}" ] || rmdir "$KMS_STEP_LOGS" 2>/dev/null || true; }
trap steps_clean EXIT

# ninja's "[12/80]" with a space before it, if there is one.
steps_progress() { tail -c 400 "$1" 2>/dev/null | grep -oE '^\[[0-9]+/[0-9]+\]' | tail -n 1 | sed 's/^/ /'; }

steps_watch() {  # TITLE LOG PARENT
  trap - EXIT
  trap 'exit 0' TERM
  local start=$SECONDS said=0 elapsed
  while sleep 1 && kill -0 "$3" 2>/dev/null; do
    elapsed=$((SECONDS - start))
    if [ -t 1 ]; then
      printf '\r\033[K-- %s: %d s%s' "$1" "$elapsed" "$(steps_progress "$2")"
    elif [ $((elapsed - said)) -ge 30 ]; then
      said=$elapsed
      printf -- '-- %s: %d s%s\n' "$1" "$elapsed" "$(steps_progress "$2")"
    fi
  done
}

step() {
  local title=$1 log watcher code=0 start=$SECONDS
  shift
  log=$(mktemp "$KMS_STEP_LOGS/XXXXXX")
  steps_watch "$title" "$log" $$ &
  watcher=$!
  "$@" >"$log" 2>&1 || code=$?
  kill "$watcher" 2>/dev/null || true
  wait "$watcher" 2>/dev/null || true
  [ -t 1 ] && printf '\r\033[K'
  if [ "$code" = 0 ]; then
    printf -- '-- %s: %d s\n' "$title" $((SECONDS - start))
    rm -f "$log"
    return 0
  fi
  printf -- '-- %s: FAILED after %d s (exit %d)\n' "$title" $((SECONDS - start)) "$code"
  # First what compilers and linkers complain of, then the end, without g++'s endless "inlined from".
  if [ "$(wc -l <"$log")" -gt 40 ]; then
    grep -nE 'error:|undefined reference|^FAILED:' "$log" | cut -c1-300 | head -n 20 || true
    echo "   ..."
  fi
  grep -vE '^ *inlined from|^(/usr/bin/cmake -E|/usr/bin/(c|g|clang)\+\+|:$|ccache )' "$log" | cut -c1-300 | tail -n 40 || true
  echo "   all of it: $log"
  return "$code"
}
