package io.quarry.agent.check;

import io.quarry.agent.data.Throttle;
import io.quarry.agent.data.process.Children;
import io.quarry.agent.fix.FixContext;
import io.quarry.agent.fix.SpaceBudget;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.repository.Repository;
import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.plan.RepositoryState;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * What a check knows beside the repository itself: the other repositories on this host, and the
 * hosts.
 */
final class Neighbours {
  private final FixContext context;
  private final Supplier<List<ConnectedRepository>> repositories;
  private final Supplier<List<HostRecord>> hosts;
  private final OpenReview opens;

  /**
   * @param repositories those connected on this host
   * @param hosts the live hosts
   * @param opens judges the users of images
   */
  Neighbours(
      FixContext context,
      Supplier<List<ConnectedRepository>> repositories,
      Supplier<List<HostRecord>> hosts,
      OpenReview opens) {
    this.context = context;
    this.repositories = repositories;
    this.hosts = hosts;
    this.opens = opens;
  }

  List<ConnectedRepository> repositories() {
    return repositories.get();
  }

  Optional<Repository> byKey(String key) {
    return context.repositories().apply(key);
  }

  /** Judges pins at this moment. */
  PinReview pins() {
    return new PinReview(this::newest, hosts(), Instant.now());
  }

  private Optional<RepositoryState> newest(String key) throws IOException {
    Optional<Repository> repository = byKey(key);
    return repository.isEmpty()
        ? Optional.empty()
        : Optional.of(repository.get().refresh().repository());
  }

  List<HostRecord> hosts() {
    return hosts.get();
  }

  OpenReview opens() {
    return opens;
  }

  /** The tools of one look at one volume. */
  Children children(String owner) {
    return new Children(context.spawner(), owner);
  }

  /** Room for what fixes write. */
  SpaceBudget budget() {
    return context.budget();
  }

  /** The throttle that copies of this host share. */
  Throttle throttle() {
    return context.throttle();
  }

  Path runtimeDirectory() {
    return context.runtimeDirectory();
  }
}
