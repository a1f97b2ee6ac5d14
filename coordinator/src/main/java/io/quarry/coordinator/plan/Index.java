package io.quarry.coordinator.plan;

import org.jspecify.annotations.Nullable;
import org.pcollections.HashTreePMap;
import org.pcollections.HashTreePSet;
import org.pcollections.PMap;
import org.pcollections.PSet;

/** The ids that belong to a key; immutable. */
record Index(PMap<String, PSet<String>> ids) {
  static final Index EMPTY = new Index(HashTreePMap.empty());

  PSet<String> of(String key) {
    PSet<String> found = ids.get(key);
    return found == null ? HashTreePSet.empty() : found;
  }

  Index plus(@Nullable String key, String id) {
    return key == null ? this : new Index(ids.plus(key, of(key).plus(id)));
  }

  Index minus(@Nullable String key, String id) {
    if (key == null) {
      return this;
    }
    PSet<String> left = of(key).minus(id);
    return new Index(left.isEmpty() ? ids.minus(key) : ids.plus(key, left));
  }
}
