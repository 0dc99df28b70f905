#!/bin/sh
# Leaves what $SITE looks like as screen.png, and fails where $WORD is not on the page when its scripts have run.
set -eu

# The container is the sandbox: Chromium's own takes rights that steps do not have. What it prints of a missing D-Bus and GPU is no news.
look() {
  timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars \
    --window-size=1280,800 --virtual-time-budget=10000 "$@" "$SITE" 2>chromium.log || {
    cat chromium.log
    exit 1
  }
}

look --screenshot=screen.png
look --dump-dom >page.html
if ! grep -qF -- "$WORD" page.html; then
  echo "\"$WORD\" is not on the page"
  exit 1
fi
echo "\"$WORD\" is on the page"
