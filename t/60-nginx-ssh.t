#!/bin/bash
# Through nginx, upstream over ssh: t/story.sh; with a push of 100 MB,
# which t/88-large.t has through both web servers, to a hosted repository.
SERVER=nginx VIA=ssh BULK=100
. "${SOURCE:?}/t/story.sh"
