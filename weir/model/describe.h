#pragma once
// Model values in words, the same in every output.
#include <string>

#include "weir/model/gate.h"
#include "weir/model/snapshot.h"

namespace weir::model {

/// "chan int 0xc000012345 (2 of 4 buffered)", "chan 0xc0… (unbuffered, closed)", "nil channel".
std::string describe(const Channel& channel);

/// What a goroutine waits on, in one line: "receive on chan int 0xc… (unbuffered)", "select of 2:
/// …", "sync.Mutex 0xc…", "IO wait: read on fd 5 (tcp …)", "sleep, 1.5 s left". Never empty.
std::string describe(const Blocking& blocking);

/// The status as Go's traceback has it between the brackets: the wait reason where there is one.
std::string state_of(const Goroutine& goroutine);

}  // namespace weir::model
