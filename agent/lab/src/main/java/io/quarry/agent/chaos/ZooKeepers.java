package io.quarry.agent.chaos;

import io.quarry.agent.dev.ZooKeeperProcess;
import java.io.IOException;
import java.util.List;

/** The ZooKeeper nodes of a cluster that faults strike. */
public interface ZooKeepers {
  int size();

  void kill(int node);

  /** Starts a node; does not wait until it serves. */
  void start(int node) throws IOException;

  void pause(int node) throws IOException, InterruptedException;

  void resume(int node) throws IOException, InterruptedException;

  /** Deletes all data of the nodes; all of them must be dead. */
  void wipe() throws IOException;

  static ZooKeepers of(List<ZooKeeperProcess> nodes) {
    return new ZooKeepers() {
      @Override
      public int size() {
        return nodes.size();
      }

      @Override
      public void kill(int node) {
        nodes.get(node).kill();
      }

      @Override
      public void start(int node) throws IOException {
        nodes.get(node).launch();
      }

      @Override
      public void pause(int node) throws IOException, InterruptedException {
        nodes.get(node).pause();
      }

      @Override
      public void resume(int node) throws IOException, InterruptedException {
        nodes.get(node).resume();
      }

      @Override
      public void wipe() throws IOException {
        for (ZooKeeperProcess node : nodes) {
          node.wipe();
        }
      }
    };
  }
}
