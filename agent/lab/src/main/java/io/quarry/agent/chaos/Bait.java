package io.quarry.agent.chaos;

import io.quarry.common.api.TaskInfo;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Disks that were published while a worker sleeps which had begun to make them. What it writes when
 * it wakes up shows only where a guest has written something else before. Thread-safe.
 */
final class Bait {
  private final Set<String> disks = ConcurrentHashMap.newKeySet();

  /** Where their workers sleep. */
  private final Map<String, String> offered = new ConcurrentHashMap<>();

  private final Set<String> written = ConcurrentHashMap.newKeySet();

  /** Its customer will write to it when it is offered. */
  void accept(Owned disk) {
    disks.add(key(disk));
  }

  boolean writable(TaskInfo task) {
    return disks.contains(key(task));
  }

  /** Offers what the sleeping task was making; whether no guest will write there any more. */
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

  /** On which host the worker sleeps, if somebody should write to the disk now. */
  Optional<String> sleeper(Owned disk) {
    return written.contains(key(disk))
        ? Optional.empty()
        : Optional.ofNullable(offered.get(key(disk)));
  }

  /** A guest has tried. */
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
