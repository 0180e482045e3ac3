#!/bin/bash
# Through lighttpd, upstream over ssh: t/story.sh.
SERVER=lighttpd VIA=ssh
. "${SOURCE:?}/t/story.sh"
