package io.quarry.coordinator.cluster;

import io.quarry.coordinator.cluster.ClusterConnection.Attachment;
import io.quarry.coordinator.cluster.ZnodeStore.Children;
import io.quarry.coordinator.cluster.ZnodeStore.Outcome;
import io.quarry.coordinator.thread.Deadline;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.zookeeper.KeeperException.Code;

/**
 * Finds out whether a claim in doubt is still this agent's, and takes it again unless another host
 * has. A claim is in doubt after a lost session, and after the whole queue was lost and rebuilt.
 */
record ClaimSettler(ClaimTaker taker, QueueWriter writer, Supplier<String> nonces) {

  /** The outcome for a claim that was in doubt. */
  sealed interface Settled {
    record Kept(HeldClaim claim) implements Settled {}

    record Lost(String reason) implements Settled {}
  }

  Settled settle(Deadline deadline, HeldClaim claim) throws ClusterUnavailableException {
    Attachment attachment = taker.attached();
    QueuePaths paths = taker.paths();
    while (true) {
      Optional<Znode> node = taker.store().read(deadline, paths.claim(claim.name()));
      Optional<ClaimRecord> holder = node.flatMap(paths::decode);
      if (node.isPresent() && holder.filter(claim.record()::sameAttempt).isEmpty()) {
        return takenBy(holder);
      }
      Optional<Znode> fix = taker.store().read(deadline, paths.fix(claim.name()));
      if (fix.isEmpty()) {
        return follow(deadline, claim, attachment);
      }
      ClaimRecord known = holder.orElse(claim.record());
      if (fix.get().version() != known.fence()) {
        return new Settled.Lost("another host claimed it meanwhile");
      }
      if (node.isPresent() && node.get().owner() == attachment.sessionId()) {
        return kept(claim, known, node.get().version(), attachment);
      }
      // The claim's znode went, or is about to go, with this agent's previous session.
      ClaimRecord record = claim.record().withFence(fix.get().version() + 1);
      Outcome outcome =
          taker.exchange(deadline, claim.name(), fix.get(), node.map(Znode::version), record);
      if (outcome.done()) {
        return kept(claim, record, 0, attachment);
      }
      if (outcome.code() == Code.NONODE) {
        paths.ensure(taker.store(), deadline);
      }
    }
  }

  /** The fix has left its place. If the whole queue is new, the claim moves along with its fix. */
  private Settled follow(Deadline deadline, HeldClaim claim, Attachment attachment)
      throws ClusterUnavailableException {
    QueuePaths paths = taker.paths();
    Optional<Children> queue = taker.store().children(deadline, paths.fixes().path());
    if (queue.isPresent() && queue.get().birth().equals(claim.birth())) {
      return new Settled.Lost("the fix left the queue");
    }
    // One write for both, so that no idle host takes the fix in between.
    FixEntry entry = claim.fix().fix();
    String nonce = nonces.get();
    ClaimRecord record = claim.record().withFence(0);
    if (writer.enqueue(entry, nonce, name -> List.of(paths.take(name, record)))
        == Enqueued.QUEUED) {
      return moved(deadline, claim, Znodes.fixName(entry.fixId(), nonce), record, attachment);
    }
    Optional<String> name =
        taker.store().children(deadline, paths.fixes().path()).stream()
            .flatMap(children -> children.names().stream())
            .filter(other -> Znodes.fixIdOf(other).equals(entry.fixId()))
            .findAny();
    return name.isPresent()
        ? join(deadline, claim, name.get(), attachment)
        : new Settled.Lost("the rebuilt queue has no room for the fix");
  }

  /** Another agent has queued the fix again already. */
  private Settled join(Deadline deadline, HeldClaim claim, String name, Attachment attachment)
      throws ClusterUnavailableException {
    QueuePaths paths = taker.paths();
    Optional<Znode> fix = taker.store().read(deadline, paths.fix(name));
    if (fix.isEmpty()) {
      return new Settled.Lost("the fix left the queue");
    }
    ClaimRecord record = claim.record().withFence(fix.get().version() + 1);
    if (taker.exchange(deadline, name, fix.get(), Optional.empty(), record).done()) {
      return moved(deadline, claim, name, record, attachment);
    }
    Optional<ClaimRecord> holder =
        taker.store().read(deadline, paths.claim(name)).flatMap(paths::decode);
    if (holder.filter(claim.record()::sameAttempt).isPresent()) {
      // An earlier try succeeded and its reply was lost; the next look finds out the rest.
      HeldClaim there = at(deadline, claim, name, holder.get(), attachment);
      return new Settled.Kept(there.doubtful());
    }
    return takenBy(holder);
  }

  private Settled moved(
      Deadline deadline, HeldClaim claim, String name, ClaimRecord record, Attachment attachment)
      throws ClusterUnavailableException {
    return new Settled.Kept(at(deadline, claim, name, record, attachment));
  }

  private HeldClaim at(
      Deadline deadline, HeldClaim claim, String name, ClaimRecord record, Attachment attachment)
      throws ClusterUnavailableException {
    QueuedFix fix = new QueuedFix(name, record.fence(), claim.fix().fix());
    return new HeldClaim(fix, record, 0, taker.birth(deadline), attachment.epoch());
  }

  private static Settled kept(
      HeldClaim claim, ClaimRecord record, int version, Attachment attachment) {
    return new Settled.Kept(claim.seen(record, version, attachment.epoch()));
  }

  private static Settled takenBy(Optional<ClaimRecord> holder) {
    String host = holder.map(other -> other.claimant().hostId()).orElse("another host");
    return new Settled.Lost("claimed by " + host);
  }
}
