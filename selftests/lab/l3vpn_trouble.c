// SPDX-License-Identifier: GPL-2.0
/* Trouble under the project's own name; see trouble.h. */
#include "trouble.h"

MODULE_DESCRIPTION("makes what scripts/vm must notice");
