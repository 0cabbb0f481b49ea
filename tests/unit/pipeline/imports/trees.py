"""Small trees as strangers write them."""

from __future__ import annotations

POD = """
      labels: {app: NAME}
    spec:
      terminationGracePeriodSeconds: 60
      nodeSelector: {pool: models}
      containers:
        - name: app
          image: registry.example.com/shop/NAME:1.2
          ports: [{name: http, containerPort: 8080}]
          env:
            - {name: LOG_LEVEL, value: info}
            - {name: TOKEN, valueFrom: {secretKeyRef: {name: store, key: token}}}
            - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
          readinessProbe: {httpGet: {path: /ready, port: http}, periodSeconds: 7}
          resources: {requests: {cpu: 250m, memory: 256Mi}, limits: {cpu: "1", memory: 256Mi}}
          lifecycle: {preStop: {sleep: {seconds: 10}}}
"""
SERVICE = """
---
apiVersion: v1
kind: Service
metadata: {name: NAME, namespace: shop}
spec: {selector: {app: APP}, ports: [{name: http, port: 80, targetPort: http}]}
"""
HPA = """
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: cart, namespace: shop}
spec:
  scaleTargetRef: {apiVersion: argoproj.io/v1alpha1, kind: Rollout, name: cart}
  minReplicas: 3
  maxReplicas: 9
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 65}}}]
"""
_ERRORS = 'sum(rate(http_requests_total{rollouts_pod_template_hash="{{args.hash}}",status=~"5.."}[2m]))'
_ALL = 'sum(rate(http_requests_total{rollouts_pod_template_hash="{{args.hash}}"}[2m]))'
_SLOW = (
    "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket"
    '{rollouts_pod_template_hash="{{args.hash}}"}[2m])))'
)
ANALYSIS = f"""
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {{name: quality, namespace: shop}}
spec:
  args: [{{name: hash}}]
  metrics:
    - name: errors
      interval: 1m
      failureLimit: 2
      successCondition: "result[0] < 0.02"
      provider: {{prometheus: {{address: "http://prometheus.obs:9090", query: '{_ERRORS} / {_ALL}'}}}}
    - name: latency
      interval: 1m
      successCondition: "result[0] <= 0.3"
      provider: {{prometheus: {{address: "http://prometheus.obs:9090", query: '{_SLOW}'}}}}
    - name: temperature
      interval: 1m
      successCondition: "result[0] < 40"
      provider: {{prometheus: {{address: "http://prometheus.obs:9090", query: 'max(temperature_celsius)'}}}}
"""
GATEWAY = (
    """
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  strategy:
    canary:
      stableService: cart-stable
      canaryService: cart-canary
      trafficRouting:
        plugins: {argoproj-labs/gatewayAPI: {httpRoute: cart, namespace: shop}}
      analysis:
        startingStep: 1
        templates: [{templateName: quality}]
        args: [{name: hash, valueFrom: {podTemplateHashValue: Latest}}]
      steps: [{setWeight: 5}, {pause: {duration: 30m}}, {setWeight: 25}, {pause: {}}, {setWeight: 50}, {pause: {duration: 20m}}, {setWeight: 100}]
  template:
    metadata:"""
    + POD.replace("NAME", "cart")
    + SERVICE.replace("NAME", "cart-stable").replace("APP", "cart")
    + SERVICE.replace("NAME", "cart-canary").replace("APP", "cart")
    + HPA
    + ANALYSIS
    + """
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: cart, namespace: shop}
spec:
  parentRefs: [{name: public, namespace: gateways, sectionName: https}]
  hostnames: [cart.example.com]
  rules:
    - matches: [{path: {type: Exact, value: /score}}]
      timeouts: {request: 12s}
      backendRefs: [{name: cart-stable, port: 80, weight: 100}, {name: cart-canary, port: 80, weight: 0}]
---
apiVersion: v1
kind: Secret
metadata: {name: store, namespace: shop}
stringData: {token: hunter2}
"""
)
SWITCH = (
    """
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: tickets, namespace: shop}
spec:
  replicas: 4
  selector: {matchLabels: {app: tickets}}
  strategy:
    blueGreen: {activeService: tickets-active, previewService: tickets-preview, autoPromotionEnabled: false, previewReplicaCount: 2}
  template:
    metadata:"""
    + POD.replace("NAME", "tickets")
    + SERVICE.replace("NAME", "tickets-active").replace("APP", "tickets")
    + SERVICE.replace("NAME", "tickets-preview").replace("APP", "tickets")
)
FLAGGER = (
    """
apiVersion: apps/v1
kind: Deployment
metadata: {name: podinfo, namespace: test}
spec:
  minReadySeconds: 5
  selector: {matchLabels: {app: podinfo}}
  template:
    metadata:"""
    + POD.replace("NAME", "podinfo")
    + """
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: podinfo, namespace: test}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: podinfo}
  minReplicas: 2
  maxReplicas: 4
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 99}}}]
---
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: podinfo, namespace: test}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: podinfo}
  autoscalerRef: {apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, name: podinfo}
  service: {port: 9898, targetPort: http, gateways: [istio-system/public-gateway], hosts: [app.example.com]}
  analysis:
    interval: 2m
    threshold: 5
    maxWeight: 50
    stepWeight: 25
    metrics:
      - {name: request-success-rate, thresholdRange: {min: 99}, interval: 1m}
      - {name: request-duration, thresholdRange: {max: 500}, interval: 30s}
    webhooks: [{name: load, url: "http://loadtester.test/", metadata: {cmd: hey}}]
"""
)
ISTIO = (
    GATEWAY[: GATEWAY.index("---\napiVersion: gateway")].replace(
        "        plugins: {argoproj-labs/gatewayAPI: {httpRoute: cart, namespace: shop}}",
        "        istio: {virtualService: {name: cart-routes, routes: [primary]}}",
    )
    + """
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: cart-routes, namespace: shop}
spec:
  gateways: [istio-system/public]
  hosts: [cart.example.com]
  http:
    - name: primary
      match: [{uri: {exact: /score}}]
      route:
        - {destination: {host: cart-stable}, weight: 100}
        - {destination: {host: cart-canary}, weight: 0}
"""
)
NGINX = (
    GATEWAY[: GATEWAY.index("---\napiVersion: gateway")].replace(
        "        plugins: {argoproj-labs/gatewayAPI: {httpRoute: cart, namespace: shop}}",
        "        nginx: {stableIngress: cart-public}",
    )
    + """
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: cart-public, namespace: shop}
spec:
  ingressClassName: nginx
  rules:
    - host: cart.example.com
      http: {paths: [{path: /score, pathType: Exact, backend: {service: {name: cart-stable, port: {number: 80}}}}]}
"""
)
