#include "jit/sha256.h"

#include <openssl/evp.h>

#include <stdexcept>

namespace kiln {
namespace {

EVP_MD_CTX* cast(void* context) { return static_cast<EVP_MD_CTX*>(context); }

void require(int result) {
  if (result != 1) throw std::runtime_error("OpenSSL cannot compute SHA-256; check its configuration");
}

// Fetched once: EVP_sha256() has it looked up with every digest that begins.
const EVP_MD* algorithm() {
  static const EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  if (fetched == nullptr) require(0);
  return fetched;
}

}  // namespace

Sha256Hasher::Sha256Hasher() : context_(EVP_MD_CTX_new()) {
  if (context_ == nullptr) throw std::bad_alloc();
  require(EVP_DigestInit_ex(cast(context_), algorithm(), nullptr));
}

Sha256Hasher::~Sha256Hasher() { EVP_MD_CTX_free(cast(context_)); }

void Sha256Hasher::add(Bytes bytes) { require(EVP_DigestUpdate(cast(context_), bytes.data(), bytes.size())); }

void Sha256Hasher::field(std::uint8_t tag, Bytes value) {
  const auto frame = fieldFrame(tag, value.size());
  add(std::as_bytes(std::span(frame)));
  add(value);
}

Sha256 Sha256Hasher::finish() {
  Sha256 digest;
  require(EVP_DigestFinal_ex(cast(context_), digest.bytes.data(), nullptr));
  return digest;
}

Sha256 sha256(Bytes bytes) {
  Sha256Hasher hasher;
  hasher.add(bytes);
  return hasher.finish();
}

}  // namespace kiln
