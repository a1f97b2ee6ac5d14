package io.quarry.coordinator.cluster;

import java.util.List;

/**
 * A persistent znode to create, for a process that has no connection of its own yet: the guardian,
 * after it has seen the agent and all its children end. A node that exists already is as good.
 *
 * @param parents to create first, in this order, if they are missing
 */
// Copied on the way in and out; nobody compares proofs.
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
