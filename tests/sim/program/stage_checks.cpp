// What must hold while a stage runs and when it is over (PROTOCOL.md 8, invariants).
#include "tests/sim/program/stage.h"

namespace kms::sim {
namespace {

std::string node(std::size_t place) {
  return "node-" + std::to_string(place);
}

bool has_share(const Disk& disk, const dkg::SlotId& slot) {
  return disk.open("slot/" + to_hex(slot.view()) + "/share").has_value();
}

bool is_released(const Disk& disk, const dkg::SlotId& slot) {
  return disk.find("slot/" + to_hex(slot.view()) + "/link").has_value();
}

}  // namespace

dkg::SlotId Stage::slot(std::uint32_t epoch) const {
  return dkg::slot_id(terms_.plan.key_set, epoch, 0);
}

// 10: nothing of the old epoch goes before its successor is released. 4: at every instant some epoch can be used.
void Stage::check_always(std::size_t place) {
  if (epoch_ == 0 || !is_old(place)) return;
  const auto& disk = world_->disk(place);
  const bool has_lost = disk.is_destroyed("slot/" + to_hex(slot(epoch_ - 1).view()) + "/epoch");
  if (!has_lost) return;
  if (!is_released(disk, slot(epoch_))) return fail(node(place) + " erased an epoch before the next one was released");
  std::size_t old_shares = 0;
  std::size_t new_shares = 0;
  for (std::size_t other = 1; other <= places(); ++other) {
    if (!is_honest(other)) continue;
    if (is_old(other) && has_share(world_->disk(other), slot(epoch_ - 1))) ++old_shares;
    if (is_new(other) && has_share(world_->disk(other), slot(epoch_))) ++new_shares;
  }
  if (old_shares < chain_.record->header.threshold.t() && new_shares < terms_.plan.threshold.t()) {
    fail("no epoch has t honest members with a share");
  }
}

// 11, 27: what had to go is on no honest disk.
std::string Stage::check_stores() {
  for (std::size_t place = 1; place <= places(); ++place) {
    if (!is_honest(place)) continue;
    const auto& disk = world_->disk(place);
    for (const auto& key : disk.list("slot/" + to_hex(slot(epoch_).view()) + "/prekey/")) {
      return node(place) + " still has a private prekey of the slot: " + key;
    }
    if (epoch_ == 0 || !is_old(place)) continue;
    if (has_share(disk, slot(epoch_ - 1))) return node(place) + " still has a share of an epoch that is over";
    const auto prefix = "slot/" + to_hex(slot(epoch_ - 1).view()) + "/";
    for (const auto& key : disk.list(prefix)) {
      if (disk.open(key)) return node(place) + " still has a secret of an epoch that is over: " + key;
    }
  }
  return {};
}

std::string Stage::check_record(const dkg::EpochRecord& record) {
  const auto& plan = terms_.plan;
  const auto& header = record.header;
  if (header.committee() != plan.members || header.threshold != plan.threshold) return "another committee was decided";
  if (header.absent().size() > plan.threshold.f()) return "more than f' members are absent";
  if (draw_.is_import != (header.terms.origin == dkg::Origin::imported) && epoch_ == 0) return "another origin";
  if (epoch_ == 0) return {};
  if (header.terms.origin != plan.old->header.terms.origin) return "the origin changed";
  for (std::size_t key = 0; key < record.tables.size(); ++key) {
    if (record.tables[key].public_key != plan.old->tables[key].public_key) return "the key changed";
  }
  if (!plan.refresh && header.approvals.size() < plan.old->header.threshold.q()) return "approvals are missing";
  if (dkg::check_approvals(header, plan.network_id, chain_.committees.back())) return "approvals do not verify";
  const auto link = record.link();
  if (!link || !dkg::verify_link(*link, plan.network_id, plan.old.get())) return "the Link does not verify";
  return {};
}

std::string Stage::check_end() {
  if (!fields_.verdict().empty()) return fields_.verdict();
  std::vector<const dkg::Ceremony*> finishers;
  if (traitors_.size() == places()) return "nobody is honest";
  for (std::size_t place = 1; place <= places(); ++place) {
    if (!is_honest(place)) continue;
    const auto* one = ceremony(place);
    finishers.push_back(one);
    if (auto wrong = check_record(*one->record()); !wrong.empty()) return wrong;
    if (!is_new(place) && one->shares() != nullptr) return node(place) + " is no member and has a share";
  }
  if (auto wrong = check_key(terms_.plan, finishers); !wrong.empty()) return wrong;
  if (auto wrong = check_stores(); !wrong.empty()) return wrong;
  auto& knowledge = chain_.knowledge;
  knowledge.decide(*finishers.front()->record());
  if (knowledge.knows_secret()) return "the key is in the span of what the traitors know";
  return check_convictions();
}

// 7: whoever did what can be proven is convicted by an honest member, whenever nothing got in the way.
std::string Stage::check_convictions() {
  if (!draw_.is_fair()) return {};
  for (const auto& crime : ring_.crimes) {
    const auto until = crime.until == Crime::Until::end ? world_->now().instant : decided_at_.value_or(Instant{});
    if (crime.at + 150ms >= until || crime.evidence == Attack::Evidence::none) continue;
    const bool is_convicted = blamed_.contains(crime.place);
    const bool is_named = is_convicted || suspected_.contains(crime.place);
    if (crime.evidence == Attack::Evidence::transferable ? is_convicted : is_named) continue;
    return node(crime.place) + " did " + std::string(crime.attack->name) + " and nobody " +
           (is_named ? "has evidence" : "names it");
  }
  return {};
}

}  // namespace kms::sim
