// The database of a closed store, seen and changed behind the store's back.
#pragma once

#include <rocksdb/db.h>

#include <catch2/catch.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace kiln::test {

class RawDatabase {
 public:
  explicit RawDatabase(const std::filesystem::path& directory) {
    std::vector<std::string> names;
    REQUIRE(rocksdb::DB::ListColumnFamilies({}, directory.string(), &names).ok());
    std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
    for (const auto& name : names) descriptors.emplace_back(name, rocksdb::ColumnFamilyOptions());
    rocksdb::DB* opened = nullptr;
    REQUIRE(rocksdb::DB::Open({}, directory.string(), descriptors, &handles_, &opened).ok());
    db_.reset(opened);
  }
  ~RawDatabase() {
    for (auto* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
  }
  RawDatabase(const RawDatabase&) = delete;
  RawDatabase& operator=(const RawDatabase&) = delete;

  // Gives every row of `column` to `change`, which may change the value in place. How many there are.
  int changeRows(const std::string& column, const std::function<void(std::string& value)>& change) {
    int rows = 0;
    std::unique_ptr<rocksdb::Iterator> row(db_->NewIterator({}, named(column)));
    for (row->SeekToFirst(); row->Valid(); row->Next(), ++rows) {
      auto value = row->value().ToString();
      change(value);
      REQUIRE(db_->Put({}, named(column), row->key(), value).ok());
    }
    return rows;
  }
  int rows(const std::string& column) {
    int rows = 0;
    std::unique_ptr<rocksdb::Iterator> row(db_->NewIterator({}, named(column)));
    for (row->SeekToFirst(); row->Valid(); row->Next()) ++rows;
    return rows;
  }
  void dropColumn(const std::string& column) { REQUIRE(db_->DropColumnFamily(named(column)).ok()); }

 private:
  rocksdb::ColumnFamilyHandle* named(const std::string& column) {
    for (auto* handle : handles_) {
      if (handle->GetName() == column) return handle;
    }
    FAIL("there is no column " << column);
    return nullptr;
  }

  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

}  // namespace kiln::test
