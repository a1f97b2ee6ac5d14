package io.quarry.agent.storage.block;

import io.quarry.coordinator.plan.MappingWorld.Kernel;
import io.quarry.coordinator.plan.Run;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Devices in memory.
 *
 * @param cuts counts how often each device was cut off
 */
public record KernelDevices(Kernel kernel, Map<String, Integer> cuts) implements Devices {
  @Override
  public Path path(String file) {
    return Path.of(file);
  }

  @Override
  public Set<String> files() {
    return kernel.files();
  }

  @Override
  public @Nullable List<Run> runs(String file) throws IOException {
    return kernel.runs(file);
  }

  @Override
  public void make(String file, List<Run> runs, boolean readOnly) throws IOException {
    kernel.make(file, runs);
  }

  @Override
  public boolean isOpen(String file) {
    return kernel.isOpen(file);
  }

  @Override
  public boolean setReadOnly(String file, boolean readOnly) {
    return false;
  }

  @Override
  public boolean remove(String file) {
    return kernel.remove(file);
  }

  @Override
  public void cutOff(String file) {
    kernel.cutOff(file);
    cuts.merge(file, 1, Integer::sum);
  }
}
