#!/bin/bash
# Through lighttpd, upstream over file: t/story.sh.
SERVER=lighttpd VIA=file
. "${SOURCE:?}/t/story.sh"
