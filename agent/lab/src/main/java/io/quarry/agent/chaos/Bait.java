package io.quarry.agent.chaos;

import io.quarry.common.api.TaskInfo;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Disks that were published while an earlier worker of theirs sleeps. When that worker wakes up and
 * writes, its bytes show only where a guest has written other bytes before. Thread-safe.
 */
final class Bait {
  private final Set<String> disks = ConcurrentHashMap.newKeySet();

  /** The host of the sleeping worker, by disk. */
  private final Map<String, String> offered = new ConcurrentHashMap<>();

  private final Set<String> written = ConcurrentHashMap.newKeySet();

  /** Registers a disk, to which the disk's customer will write when it is offered. */
  void accept(Owned disk) {
    disks.add(key(disk));
  }

  boolean writable(TaskInfo task) {
    return disks.contains(key(task));
  }

  /**
   * Offers the disk that the sleeping task was making; returns whether no guest will write there
   * any more.
   */
  boolean written(TaskInfo task) {
    if (!writable(task)) {
      return true;
    }
    String key = key(task);
    offered.putIfAbsent(key, task.hostId());
    return written.contains(key);
  }

  /** The worker has woken up. */
  void awake(TaskInfo task) {
    offered.remove(key(task));
    written.remove(key(task));
  }

  /** The host of the sleeping worker, if a guest should write to the disk now. */
  Optional<String> sleeper(Owned disk) {
    return written.contains(key(disk))
        ? Optional.empty()
        : Optional.ofNullable(offered.get(key(disk)));
  }

  /** A guest has tried to write to the disk. */
  void written(Owned disk) {
    written.add(key(disk));
  }

  boolean asleep(Owned disk) {
    return offered.containsKey(key(disk));
  }

  private static String key(Owned disk) {
    return disk.repoId + "/" + disk.imageId;
  }

  private static String key(TaskInfo task) {
    return task.repoId() + "/" + task.imageId();
  }
}
