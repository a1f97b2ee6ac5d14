package io.quarry.coordinator.plan;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** An agent that keeps the rules of mappings, but for one. */
final class CarelessAgent implements MappingWorld.Agent {
  private final String hostId;
  private final HostBoot boot;
  private final MappingWorld.Kernel kernel;
  private final Mistake mistake;
  private final long start;

  /** The newest mapping of each file whose end this agent has told. */
  private final Map<String, Long> told = new HashMap<>();

  /** What the agent does wrong. */
  enum Mistake {
    NONE,
    /** Makes the device when the request is sent. */
    MAPS_BEFORE_THE_COMMIT,
    /** Removes the device after the request was sent. */
    SAYS_UNMAPPED_BEFORE,
    /** Says that a device is gone which a program has open. */
    SAYS_UNMAPPED_WHILE_OPEN,
    /** Makes a device anew by a mapping whose end may be on its way. */
    MAPS_AGAIN_BY_AN_OLD_MAPPING,
    /** Makes a device by a mapping whose end an earlier agent may have told. */
    FORGETS_WHAT_AN_EARLIER_AGENT_TOLD
  }

  CarelessAgent(
      String hostId, HostBoot boot, MappingWorld.Kernel kernel, long start, Mistake mistake) {
    this.hostId = hostId;
    this.boot = boot;
    this.kernel = kernel;
    this.mistake = mistake;
    this.start = mistake == Mistake.FORGETS_WHAT_AN_EARLIER_AGENT_TOLD ? 0 : start;
  }

  @Override
  public void make(RepositoryState seen, long commit, String file) throws IOException {
    Mapping mapping = seen.extents().mapping(file, hostId);
    if (mapping == null) {
      return;
    }
    boolean old =
        kernel.runs(file) == null
            && mapping.since() <= told.getOrDefault(file, start)
            && mistake != Mistake.MAPS_AGAIN_BY_AN_OLD_MAPPING;
    if (mapping.boot().equals(boot) && !old) {
      make(seen.extents().allocation(file));
    }
  }

  private void make(@Nullable Allocation allocation) throws IOException {
    if (allocation != null) {
      kernel.make(allocation.file(), allocation.runs());
    }
  }

  @Override
  public Map<String, Long> remove(RepositoryState seen, long commit, List<String> files) {
    Map<String, Long> ended = new TreeMap<>();
    Map<String, Long> mappings = seen.extents().mappingsBy(hostId);
    for (String file : files) {
      boolean gone =
          mistake == Mistake.SAYS_UNMAPPED_BEFORE
              || kernel.remove(file)
              || mistake == Mistake.SAYS_UNMAPPED_WHILE_OPEN;
      Long since = mappings.get(file);
      if (gone && since != null) {
        ended.put(file, since);
      }
    }
    told.putAll(ended);
    return ended;
  }

  @Override
  public void reconcile(RepositoryState seen, long commit) {}

  @Override
  public void asked(RepositoryState seen, String file) throws IOException {
    if (mistake == Mistake.MAPS_BEFORE_THE_COMMIT) {
      make(seen.extents().allocation(file));
    }
  }
}
