// SPDX-License-Identifier: GPL-2.0
/* The same trouble under a name that is not ours; see trouble.h. */
#include "trouble.h"

MODULE_DESCRIPTION("makes what scripts/vm must notice");
