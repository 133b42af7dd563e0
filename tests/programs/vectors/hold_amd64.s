#include "textflag.h"

// func hold(rounds, pattern uint64) bool
TEXT ·hold(SB), NOSPLIT, $0-17
	MOVQ rounds+0(FP), CX
	VPBROADCASTQ pattern+8(FP), Y0
again:
	VPBROADCASTQ pattern+8(FP), Y1
	VPCMPEQQ Y1, Y0, Y2
	VPMOVMSKB Y2, AX
	CMPL AX, $-1
	JNE changed
	DECQ CX
	JNZ again
	VZEROUPPER
	MOVB $1, ret+16(FP)
	RET
changed:
	VZEROUPPER
	MOVB $0, ret+16(FP)
	RET
