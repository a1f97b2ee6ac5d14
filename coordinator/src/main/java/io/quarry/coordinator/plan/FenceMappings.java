package io.quarry.coordinator.plan;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An administrator vouches that the host has no device for these files any more, although nothing
 * proves it. The request's name in the log tells this from what a host says itself.
 *
 * @param mappings by file, {@link Mapping#since}: a mapping that was allowed anew since stays
 */
public record FenceMappings(String hostId, Map<String, Long> mappings) implements Request {
  public FenceMappings(String hostId, @Nullable Map<String, Long> mappings) {
    this.hostId = Checked.name("hostId", hostId);
    this.mappings = Checked.mappings(mappings);
  }

  @Override
  public Reply plan(Transaction transaction) {
    new ExtentChanges(transaction).unmap(hostId, mappings, mapping -> true);
    return transaction.reply(this, hostId);
  }

  @Override
  public boolean freesSpace() {
    return true;
  }
}
