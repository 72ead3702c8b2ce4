// kmsctl encrypt, delegate, decrypt: the three sides of a delegation, joined by pipes.
#pragma once

#include "cli/options.h"
#include "cli/report.h"
#include "sdk/delegation.h"
#include "sdk/io/http_client.h"

namespace kms::cli::io {

Outcome<Report> run(const Encrypt& options, Entropy& entropy);
Outcome<Report> run(const Delegate& options, Entropy& entropy);
Outcome<Report> run(const Decrypt& options, Entropy& entropy);

// What a node answered to a request, verified.
Result<sdk::Delegation> verified(const sdk::DelegationRequest& request, const sdk::NodeUrl& node,
                                 const sdk::HttpAnswer& answer, const std::optional<crypto::Address>& signer);
sdk::HttpCall call_of(const sdk::DelegationRequest& request);

}  // namespace kms::cli::io
