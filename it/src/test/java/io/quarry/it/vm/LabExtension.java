package io.quarry.it.vm;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ExtensionContext.Store;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Gives tests a running lab. All test classes of the JVM share one, since machines take time to
 * boot; after a failure the next test gets a new one.
 */
public final class LabExtension implements ParameterResolver, AfterEachCallback {
  private static final Namespace NAMESPACE = Namespace.create(LabExtension.class);

  /** JUnit closes the lab after the last test. */
  private record Shared(Lab lab) implements AutoCloseable {
    @Override
    public void close() throws IOException {
      lab.close();
    }
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == Lab.class;
  }

  @Override
  public Lab resolveParameter(ParameterContext parameter, ExtensionContext context) {
    Path logs = Lab.logs(context.getRequiredTestClass(), context.getRequiredTestMethod());
    return store(context)
        .getOrComputeIfAbsent(Lab.class, _ -> new Shared(start(logs)), Shared.class)
        .lab();
  }

  private static Lab start(Path logs) {
    try {
      return Lab.start(logs);
    } catch (Exception e) {
      throw new IllegalStateException("the lab does not start; see " + logs, e);
    }
  }

  @Override
  public void afterEach(ExtensionContext context) throws Exception {
    @Nullable Throwable failure = context.getExecutionException().orElse(null);
    if (failure == null) {
      return;
    }
    @Nullable Shared shared = store(context).remove(Lab.class, Shared.class);
    if (shared != null) {
      shared.lab().saveDiagnosis(failure);
      shared.close();
    }
  }

  private static Store store(ExtensionContext context) {
    return context.getRoot().getStore(NAMESPACE);
  }
}
