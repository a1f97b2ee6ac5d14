package io.quarry.coordinator.plan;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A host says that it has no device for these files any more, and makes none before it is allowed
 * to anew. Devices of earlier boots went with their kernels. Only the host itself sends this
 * request, for mappings that it has seen in the log. So the host's present boot began after these
 * mappings, however late the request arrives.
 *
 * @param boot in which the host runs
 * @param mappings by file, {@link Mapping#since}: a mapping that was allowed anew since stays
 */
public record UnmapFiles(String hostId, HostBoot boot, Map<String, Long> mappings)
    implements Request {
  public UnmapFiles(String hostId, @Nullable HostBoot boot, @Nullable Map<String, Long> mappings) {
    this.hostId = Checked.name("hostId", hostId);
    this.boot = Checked.boot(Checked.present("boot", boot));
    this.mappings = Checked.mappings(mappings);
  }

  @Override
  public Reply plan(Transaction transaction) {
    new ExtentChanges(transaction)
        .unmap(
            hostId, mappings, mapping -> mapping.boot().equals(boot) || boot.ends(mapping.boot()));
    return transaction.reply(this, hostId);
  }

  @Override
  public boolean freesSpace() {
    return true;
  }
}
