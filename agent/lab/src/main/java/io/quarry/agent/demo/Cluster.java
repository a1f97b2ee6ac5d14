package io.quarry.agent.demo;

import java.io.IOException;
import java.net.URI;
import java.util.List;

/** The hosts of the demo, which the demo kills. */
interface Cluster extends AutoCloseable {
  /** One host and the address of its agent, which stays the same over restarts. */
  record Member(String hostId, URI agent) {}

  List<Member> members();

  /** Kills the agent's process without warning; its guardian starts another one. */
  void kill(String hostId) throws IOException;

  @Override
  void close();
}
