#!/bin/bash
# Through nginx, upstream over file: t/story.sh.
SERVER=nginx VIA=file
. "${SOURCE:?}/t/story.sh"
