package io.quarry.coordinator.cluster;

import java.util.List;

/**
 * A persistent znode for the guardian to create with a connection of its own, after it has seen the
 * agent and all its children end. An existing node is as good.
 *
 * @param parents to create first, in this order, if they are missing
 */
// Copied on the way in and out; never compared.
@SuppressWarnings("ArrayRecordComponent")
public record ProofOfDeath(List<String> parents, String path, byte[] content) {
  public ProofOfDeath {
    parents = List.copyOf(parents);
    content = content.clone();
  }

  @Override
  public byte[] content() {
    return content.clone();
  }
}
