#!/bin/bash
# Through nginx, upstream over ssh: t/story.sh.
SERVER=nginx VIA=ssh
. "${SOURCE:?}/t/story.sh"
