package io.quarry.agent.fix;

import io.quarry.common.api.StorageException;
import io.quarry.coordinator.plan.Unpin;
import io.quarry.coordinator.plan.Volume.CopySource;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Lets go of a copy's source, once the copy is whole or given up. */
final class SourcePin {
  private static final Logger LOG = LoggerFactory.getLogger(SourcePin.class);

  private SourcePin() {}

  /** If it fails, or the source is not connected here, the pin is stale and gets reaped. */
  static void release(RunningFix run, CopySource source) {
    run.around()
        .repositories()
        .apply(source.repositoryKey())
        .ifPresent(holder -> {
          try {
            holder.commit(UUID.randomUUID().toString(), new Unpin(source.pinId()));
          } catch (StorageException e) {
            LOG.warn("The pin {} stays for now: {}", source.pinId(), e.getMessage());
          }
        });
  }
}
