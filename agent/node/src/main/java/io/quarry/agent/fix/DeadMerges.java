package io.quarry.agent.fix;

import io.quarry.agent.repository.Repository;
import io.quarry.coordinator.plan.LeaveMergeInPlace;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Merges in place that were given up while their host could not say that it has stopped. The volume
 * stays writable until another host says so for it.
 */
public final class DeadMerges {
  private static final Logger LOG = LoggerFactory.getLogger(DeadMerges.class);

  private final FixContext context;

  public DeadMerges(FixContext context) {
    this.context = context;
  }

  /**
   * A merge whose fix is still to be done is left to the worker that goes on with it.
   *
   * @param leading whether this host speaks for the dead; each host speaks for itself
   */
  public void end(Repository repository, boolean leading) {
    RepositoryState state = repository.state().repository();
    for (Volume volume : state.volumes().values()) {
      Volume.Writer writer = volume.writer();
      if (writer != null
          && !state.fixes().containsKey(writer.fixId())
          && (context.own().stageOf(writer) == LocalWriters.Stage.OVER
              || (leading && context.proof().dead(writer.worker())))) {
        LOG.info("{} has been given up, and {} is over", writer.fixId(), writer.worker());
        var _ =
            repository.commit(
                UUID.randomUUID().toString(), new LeaveMergeInPlace(volume.id(), writer));
        context.own().forget(writer);
      }
    }
  }
}
