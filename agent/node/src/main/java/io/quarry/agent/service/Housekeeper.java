package io.quarry.agent.service;

import io.quarry.agent.check.OpenReview;
import io.quarry.agent.fix.DeadMerges;
import io.quarry.agent.fix.FixContext;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.repository.ThisHost;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.cluster.HostRegistry;
import io.quarry.coordinator.plan.Pin;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.StalePins;
import io.quarry.coordinator.plan.Unpin;
import io.quarry.coordinator.thread.Loop;
import io.quarry.coordinator.thread.Supervisor;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tidies up, from time to time, what crashes have left behind. */
public final class Housekeeper implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Housekeeper.class);
  private static final Duration ROUND = Duration.ofSeconds(30);

  /** Far longer than any call needs a temporary file. */
  private static final Duration TEMPORARY_YOUNG = Duration.ofHours(1);

  private final Repositories repositories;
  private final StorageIo io;
  private final OpenKeeper opens;
  private final Clock clock;
  private final VolumeKeeper volumes;
  private final DeadMerges merges;
  private final Loop loop = new Loop("housekeeper", ROUND, this::round);

  public Housekeeper(
      ThisHost host,
      Repositories repositories,
      StorageIo io,
      HostRegistry hosts,
      OpenReview review,
      FixContext context,
      Clock clock) {
    this.repositories = repositories;
    this.io = io;
    this.opens = new OpenKeeper(host, io, hosts, review);
    this.clock = clock;
    this.volumes = new VolumeKeeper(io);
    this.merges = new DeadMerges(context);
  }

  public void start(Supervisor supervisor) {
    loop.start(supervisor);
  }

  /**
   * A repository was connected: this host may have had images of the repository open before it
   * booted.
   */
  public void connectionsChanged() {
    loop.wake();
  }

  private void round() {
    for (ConnectedRepository repository : repositories.all()) {
      try {
        opens.endDead(repository);
        merges.end(repository, repository.leading());
        reapPins(repository);
        if (repository.leading() && repository.responsive()) {
          opens.reapReaders(repository);
          opens.endIdleUploads(repository);
          var _ = io.call(repository, () -> repository.storage().sweep(TEMPORARY_YOUNG));
          volumes.round(repository);
        } else {
          volumes.follow(repository);
        }
      } catch (StorageException e) {
        LOG.warn("Housekeeping of {} has to wait: {}", repository.repoId(), e.toString());
      } catch (RuntimeException e) {
        LOG.error("Housekeeping of {} failed", repository.repoId(), e);
      }
    }
  }

  /**
   * Releases pins that their target no longer needs, by the target's own log. Any host that reaches
   * both repositories can do that, and the SDM's host may not be among them.
   */
  private void reapPins(ConnectedRepository repository) {
    Instant young = clock.instant().minus(StalePins.YOUNG);
    for (Pin pin : repository.state().repository().pins().values()) {
      Optional<ConnectedRepository> target = repositories.byKey(pin.targetKey());
      if (pin.since().isBefore(young) && target.isPresent()) {
        RepositoryState fresh = repositories.newest(target.get()).repository();
        if (!StalePins.isNeeded(pin, fresh)) {
          LOG.info("Reaping the stale pin {} of image {}", pin.id(), pin.imageId());
          repository.commit(UUID.randomUUID().toString(), new Unpin(pin.id()));
        }
      }
    }
  }

  @Override
  public void close() {
    loop.close();
  }
}
