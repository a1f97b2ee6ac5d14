package io.quarry.coordinator.cluster;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.ZooDefs.Ids;

/**
 * One step of a commit. Each has a guard: it creates a node, or names the version that it expects.
 */
// Content is neither changed nor compared on its way out.
@SuppressWarnings("ArrayRecordComponent")
sealed interface Write {
  Op operation();

  static Write create(String path, byte[] content) {
    return new Create(path, content, CreateMode.PERSISTENT);
  }

  static Write createEphemeral(String path, byte[] content) {
    return new Create(path, content, CreateMode.EPHEMERAL);
  }

  static Write replace(String path, byte[] content, int version) {
    return new Replace(path, content, version);
  }

  static Write delete(String path, int version) {
    return new Delete(path, version);
  }

  static Write check(String path, int version) {
    return new Check(path, version);
  }

  private static int required(int version) {
    if (version < 0) {
      throw new IllegalArgumentException("version " + version);
    }
    return version;
  }

  record Create(String path, byte[] content, CreateMode mode) implements Write {
    @Override
    public Op operation() {
      return Op.create(path, content, Ids.OPEN_ACL_UNSAFE, mode);
    }
  }

  record Replace(String path, byte[] content, int version) implements Write {
    @Override
    public Op operation() {
      return Op.setData(path, content, required(version));
    }
  }

  record Delete(String path, int version) implements Write {
    @Override
    public Op operation() {
      return Op.delete(path, required(version));
    }
  }

  record Check(String path, int version) implements Write {
    @Override
    public Op operation() {
      return Op.check(path, required(version));
    }
  }
}
