// The two ways a benchmark prints: a table for people, JSON for programs.
#pragma once

namespace kms::bench {

enum class Output { table, json };

// Microseconds of one call of each primitive.
void run_primitives(Output output);
// Messages, bytes and signatures of one delegation, by layout of the gossip topics.
void run_router(Output output);

}  // namespace kms::bench
