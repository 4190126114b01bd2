-- What clause 9.3.2 of ISO/IEC 27001:2022 (with Amendment 1:2024) asks top management to consider, and the
-- items around it that a meeting has anyway: position, key, clause, title, required. docs/agenda.md explains them.
(values
    (1, 'opening', '', 'Opening, attendance and quorum', false),
    (2, 'previous_minutes', '', 'Minutes of the previous review', false),
    (3, 'previous_actions', '9.3.2 a)', 'Status of actions from previous management reviews', true),
    (4, 'context', '9.3.2 b)', 'Changes in external and internal issues, climate change included', true),
    (5, 'interested_parties', '9.3.2 c)', 'Changes in needs and expectations of interested parties', true),
    (6, 'nonconformities', '9.3.2 d) 1)', 'Nonconformities and corrective actions, with trends', true),
    (7, 'measurements', '9.3.2 d) 2)', 'Monitoring and measurement results, with trends', true),
    (8, 'audits', '9.3.2 d) 3)', 'Audit results', true),
    (9, 'objectives', '9.3.2 d) 4)', 'Fulfilment of information security objectives', true),
    (10, 'feedback', '9.3.2 e)', 'Feedback from interested parties', true),
    (11, 'risks', '9.3.2 f)', 'Results of risk assessment and status of the risk treatment plan', true),
    (12, 'improvement', '9.3.2 g)', 'Opportunities for continual improvement', true),
    (13, 'policy', '', 'Information security policy and objectives: still right?', false),
    (14, 'resources', '', 'Resources and changes the management system needs', false),
    (15, 'closing', '', 'Conclusions, decisions and next review', false)
)
