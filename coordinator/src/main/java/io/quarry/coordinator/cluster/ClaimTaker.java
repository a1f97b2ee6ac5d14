package io.quarry.coordinator.cluster;

import io.quarry.coordinator.cluster.ClusterConnection.Attachment;
import io.quarry.coordinator.cluster.DirectoryView.Entry;
import io.quarry.coordinator.cluster.ZnodeStore.Birth;
import io.quarry.coordinator.cluster.ZnodeStore.Outcome;
import io.quarry.coordinator.thread.Deadline;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.apache.zookeeper.KeeperException.Code;

/**
 * Takes and removes single claims. Keeps no state. Each call may be repeated, as after a lost
 * reply.
 */
record ClaimTaker(ClusterConnection connection, QueuePaths paths) {

  /**
   * Claims a fix that has no claim.
   *
   * @param orphan whether a claim of this incarnation has no holder here
   */
  Optional<HeldClaim> take(
      Deadline deadline,
      Entry<FixEntry> fix,
      ClaimRecord transaction,
      Predicate<ClaimRecord> orphan)
      throws ClusterUnavailableException {
    Attachment attachment = attached();
    Znode node = fix.znode();
    Optional<Znode> leftover = Optional.empty();
    while (true) {
      ClaimRecord record = transaction.withFence(node.version() + 1);
      Outcome outcome = exchange(deadline, fix.name(), node, leftover.map(Znode::version), record);
      if (outcome.done()) {
        return Optional.of(held(deadline, fix, record, 0, attachment));
      }
      if (outcome.code() == Code.NONODE && outcome.failed() > 0) {
        paths.ensure(store(), deadline);
      }
      Optional<Znode> claim = store().read(deadline, paths.claim(fix.name()));
      if (claim.isPresent()) {
        Optional<ClaimRecord> holder = paths.decode(claim.get());
        if (holder.filter(transaction::sameAttempt).isPresent()) {
          return Optional.of(held(deadline, fix, holder.get(), claim.get().version(), attachment));
        }
        if (holder
            .filter(other -> other.claimant().equals(transaction.claimant()))
            .filter(orphan)
            .isEmpty()) {
          return Optional.empty();
        }
      }
      Optional<Znode> again = store().read(deadline, paths.fix(fix.name()));
      if (again.isEmpty()) {
        return Optional.empty();
      }
      node = again.get();
      leftover = claim;
    }
  }

  /** Replaces another agent's claim, if that claim is still exactly the expected one. */
  Optional<HeldClaim> steal(
      Deadline deadline, Entry<FixEntry> fix, ClaimRecord transaction, ObservedClaim expected)
      throws ClusterUnavailableException {
    Attachment attachment = attached();
    Optional<Znode> node = store().read(deadline, paths.fix(fix.name()));
    if (node.isPresent() && node.get().version() == expected.fence()) {
      ClaimRecord record = transaction.withFence(expected.fence() + 1);
      Optional<Integer> version = Optional.of(expected.version());
      if (exchange(deadline, fix.name(), node.get(), version, record).done()) {
        return Optional.of(held(deadline, fix, record, 0, attachment));
      }
    }
    Optional<Znode> claim = store().read(deadline, paths.claim(fix.name()));
    Optional<ClaimRecord> ours = claim.flatMap(paths::decode).filter(transaction::sameAttempt);
    return claim.isPresent() && ours.isPresent()
        ? Optional.of(held(deadline, fix, ours.get(), claim.get().version(), attachment))
        : Optional.empty();
  }

  /**
   * Removes this claim and never another; afterwards the claim is certainly gone.
   *
   * @return true, for {@link ZnodeStore#retrying}
   */
  boolean remove(Deadline deadline, String name, ClaimRecord record)
      throws ClusterUnavailableException {
    while (true) {
      Optional<Znode> node = store().read(deadline, paths.claim(name));
      Optional<ClaimRecord> ours = node.flatMap(paths::decode).filter(record::sameAttempt);
      if (node.isEmpty() || ours.isEmpty()) {
        return true;
      }
      Write delete = Write.delete(paths.claim(name), node.get().version());
      Outcome outcome =
          store().commit(deadline, paths.stillFenced(name, ours.get().fence()), delete);
      if (outcome.is(Code.NONODE, 0)) {
        // The fix is gone. No host can claim its name again, so this cannot hit a successor's
        // claim.
        outcome = store().commit(deadline, delete);
      }
      if (outcome.done() || outcome.is(Code.BADVERSION, 0)) {
        return true;
      }
    }
  }

  /**
   * Replaces one claim by another or by none, all or nothing.
   *
   * @param fix as it was read, byte for byte: a newer agent may have added fields
   * @param outgoing version of the claim to replace
   */
  Outcome exchange(
      Deadline deadline, String name, Znode fix, Optional<Integer> outgoing, ClaimRecord record)
      throws ClusterUnavailableException {
    List<Write> writes = new ArrayList<>();
    writes.add(paths.fence(name, fix.content(), fix.version()));
    outgoing.ifPresent(version -> writes.add(Write.delete(paths.claim(name), version)));
    writes.add(paths.take(name, record));
    return store().commit(deadline, writes);
  }

  Attachment attached() throws ClusterUnavailableException {
    return connection
        .attachment()
        .orElseThrow(() -> new ClusterUnavailableException("no connection to ZooKeeper"));
  }

  Birth birth(Deadline deadline) throws ClusterUnavailableException {
    return store()
        .birth(deadline, paths.fixes().path())
        .orElseThrow(() -> new ClusterUnavailableException("the queue has just vanished"));
  }

  ZnodeStore store() {
    return connection.store();
  }

  private HeldClaim held(
      Deadline deadline,
      Entry<FixEntry> fix,
      ClaimRecord record,
      int version,
      Attachment attachment)
      throws ClusterUnavailableException {
    QueuedFix queued = new QueuedFix(fix.name(), record.fence(), fix.value());
    return new HeldClaim(queued, record, version, birth(deadline), attachment.epoch());
  }
}
