// Messages of proto/*.proto as protoc's code sees them, found by name: what our hand-written codecs are held against.
#pragma once

#include <memory>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "base/bytes.h"

namespace kms::schema {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// An empty message, for example of "kms.Deal". Throws if no schema has it.
inline std::unique_ptr<Message> make(const std::string& name) {
  const auto* descriptor = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(name);
  if (!descriptor) throw std::runtime_error("no schema in proto/ has a message " + name);
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor)->New());
}

inline bool parse(Message& message, ByteView body) {
  return message.ParseFromArray(body.data(), static_cast<int>(body.size()));
}

inline Bytes serialized(const Message& message) {
  const std::string text = message.SerializeAsString();
  return to_bytes(as_bytes(text));
}

// The path of a field that the schema does not know, at any depth; empty if none.
inline std::string unknown_field(const Message& message) {
  const auto* reflection = message.GetReflection();
  if (!reflection->GetUnknownFields(message).empty()) return message.GetDescriptor()->full_name();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const auto* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    const int count = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      const auto& inner = field->is_repeated() ? reflection->GetRepeatedMessage(message, field, i)
                                               : reflection->GetMessage(message, field);
      auto found = unknown_field(inner);
      if (!found.empty()) return found;
    }
  }
  return {};
}

inline const FieldDescriptor* field_of(const Message& message, const std::string& name) {
  const auto* field = message.GetDescriptor()->FindFieldByName(name);
  if (!field) throw std::runtime_error(message.GetDescriptor()->full_name() + " has no field " + name);
  return field;
}

inline Bytes bytes(const Message& message, const std::string& name) {
  const std::string text = message.GetReflection()->GetString(message, field_of(message, name));
  return to_bytes(as_bytes(text));
}

inline std::uint32_t number(const Message& message, const std::string& name) {
  return message.GetReflection()->GetUInt32(message, field_of(message, name));
}

inline std::uint64_t wide_number(const Message& message, const std::string& name) {
  return message.GetReflection()->GetUInt64(message, field_of(message, name));
}

inline int enum_number(const Message& message, const std::string& name) {
  return message.GetReflection()->GetEnumValue(message, field_of(message, name));
}

inline std::size_t count(const Message& message, const std::string& name) {
  return static_cast<std::size_t>(message.GetReflection()->FieldSize(message, field_of(message, name)));
}

inline const Message& element(const Message& message, const std::string& name, int index) {
  return message.GetReflection()->GetRepeatedMessage(message, field_of(message, name), index);
}

}  // namespace kms::schema
