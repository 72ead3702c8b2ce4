// Each member of a simulated committee checks what every other one checks: the same signature, the same point, the same
// multiple of it. The library's costly functions of public values are pure, so that one thread's worlds compute each of
// their results once and look it up afterwards. Nothing is skipped: what was never computed is computed.
#pragma once

namespace kms::sim {

// Before each run, so that a run costs and gives the same whatever came before it.
void forget_crypto();
// Whether this thread looks results up; it does unless told otherwise.
enum class Memory : bool { off, on };
void remember_crypto(Memory memory);

}  // namespace kms::sim
