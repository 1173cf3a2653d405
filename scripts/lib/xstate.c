// SPDX-License-Identifier: GPL-2.0
/*
 * Prints the size in bytes of this processor's extended state (CPUID leaf 0xd) as the running kernel enables it.
 * User Mode Linux must read and write a process's floating point state whole (ptrace refuses a shorter piece), and
 * its own constant is too small for processors with AMX. scripts/lib/kernel builds it with this figure.
 */
#include <cpuid.h>
#include <stdio.h>

int main(void)
{
	unsigned int eax, ebx, ecx, edx;

	if (!__get_cpuid_count(0xd, 0, &eax, &ebx, &ecx, &edx))
		return 1;
	printf("%u\n", ebx);
	return 0;
}
