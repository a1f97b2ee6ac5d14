package io.quarry.coordinator.cluster;

import io.quarry.coordinator.thread.Deadline;
import java.io.IOException;
import java.util.Optional;

/** The two directories of one repository's queue, and the writes that keep them consistent. */
record QueuePaths(Directory<FixEntry> fixes, Directory<ClaimRecord> claims) {
  String fix(String name) {
    return fixes.child(name);
  }

  String claim(String name) {
    return claims.child(name);
  }

  /**
   * Counts the claim in the fix's znode. The name of that znode is never used again, so no other
   * claim ever has this fence. A claim's own znode cannot tell: it has the name of its
   * predecessor's, and its version starts at 0 again.
   */
  Write fence(String name, byte[] content, int version) {
    return Write.replace(fix(name), content, version);
  }

  Write stillFenced(String name, int fence) {
    return Write.check(fix(name), fence);
  }

  Write take(String name, ClaimRecord record) {
    return Write.createEphemeral(claim(name), claims.encode(record));
  }

  void ensure(ZnodeStore store, Deadline deadline) throws ClusterUnavailableException {
    store.ensure(deadline, fixes.path());
    store.ensure(deadline, claims.path());
  }

  /** Empty for content that this version cannot read. */
  Optional<ClaimRecord> decode(Znode claim) {
    try {
      return Optional.of(claims.decode(claim.content()));
    } catch (IOException unreadable) {
      return Optional.empty();
    }
  }
}
