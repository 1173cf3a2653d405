// SPDX-License-Identifier: GPL-2.0
/* exec - the text of l3vpn-exec.yang (RFC 7950), the operational commands, as part of the program. */
#include "mgmt/server.h"

__asm__(".pushsection .rodata\n"
	".global mgmt_yang_exec\n"
	"mgmt_yang_exec:\n"
	".incbin \"" SRC_DIR "/mgmt/yang/l3vpn-exec.yang\"\n"
	".byte 0\n"
	".popsection\n");
