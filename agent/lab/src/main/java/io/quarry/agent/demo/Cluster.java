package io.quarry.agent.demo;

import java.io.IOException;
import java.net.URI;
import java.util.List;

/** The machines of the demo, which may be killed. */
interface Cluster extends AutoCloseable {
  /** One host and where its agent answers, also after a restart. */
  record Member(String hostId, URI agent) {}

  List<Member> members();

  /** Kills the agent's process without warning; its guardian starts another one. */
  void kill(String hostId) throws IOException;

  @Override
  void close();
}
